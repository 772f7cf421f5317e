#[portway::service]
mod routes {
    #[portway::get("/a", timeout = "5 parsecs")]
    async fn far() {}

    #[portway::get("/b", timeout = "5")]
    async fn unitless() {}

    #[portway::post("/c", body_limit = "10 mb")]
    async fn loose() {}

    #[portway::post("/d", body_limit = "")]
    async fn empty() {}
}
