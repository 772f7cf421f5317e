//! An attribute of another crate that happens to be called `get` is left alone.

mod other {
    pub use portway::hook as get;
}

#[portway::service]
pub mod shop {
    use super::other;

    #[other::get]
    pub async fn is_a_hook(head: &mut portway::Head) -> portway::HookResult {
        head.set_header("x-seen", 1)
    }

    #[portway::get("/items", before = [is_a_hook])]
    async fn items() {}
}
