#[portway::service]
mod shop {
    #[portway::get("/items")]
    #[portway::post("/items")]
    async fn items() {}
}
