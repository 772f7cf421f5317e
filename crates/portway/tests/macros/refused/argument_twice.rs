#[portway::service(prefix = "/a", prefix = "/b")]
mod service {}

#[portway::service]
mod route {
    #[portway::get("/items", to = "/a", to = "/b")]
    async fn items() {}
}
