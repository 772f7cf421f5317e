#[portway::service]
mod shop {
    #[portway::get("/items", path = u32)]
    async fn items() {}
}
