#[portway::service]
mod shop {
    #[portway::get("/a")]
    async fn body() -> &'static str {
        "hello"
    }

    #[portway::get("/b")]
    async fn arguments(head: &mut portway::Head) {}

    #[portway::get("/c")]
    async fn result() -> &'static str {}
}
