#[portway::service]
mod shop {
    #[portway::get("/items", handler)]
    async fn routes() {}
}
