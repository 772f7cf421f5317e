#[portway::service]
mod shop {
    #[portway::post("/a", json = String, form = String)]
    async fn a() {}

    #[portway::post("/b", multipart, json = String)]
    async fn b() {}
}
