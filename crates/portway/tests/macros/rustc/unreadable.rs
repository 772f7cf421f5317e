struct Mine;

#[portway::service]
mod shop {
    #[portway::post("/a", json = super::Mine)]
    async fn json() {}

    #[portway::post("/b", form = super::Mine)]
    async fn form() {}

    #[portway::get("/c", query = super::Mine)]
    async fn query() {}
}
