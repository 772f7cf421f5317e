#[portway::service]
mod shop {
    #[portway::get("/a", handler, to = "/b")]
    async fn to() {}

    #[portway::get("/b", handler, policy = "sticky")]
    async fn policy() {}

    #[portway::post("/c", json = String, map = remap, handler)]
    async fn map(input: String) {}
}
