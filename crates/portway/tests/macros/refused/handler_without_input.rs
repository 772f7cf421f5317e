#[portway::service]
mod shop {
    #[portway::post("/a", json = String, handler)]
    async fn items() {}
}
