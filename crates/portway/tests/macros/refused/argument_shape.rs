#[portway::service(hosts = "a.example")]
mod service {}

#[portway::service("/shop")]
mod unnamed {}

#[portway::service]
mod routes {
    #[portway::post("/a", json = "Type")]
    async fn kind() {}

    #[portway::post("/b", multipart = true)]
    async fn flag() {}

    #[portway::post("/c", before = authenticate)]
    async fn list() {}

    #[portway::post("/d", map = [remap])]
    async fn one() {}

    #[portway::post("/e", timeout)]
    async fn nothing() {}

    #[portway::post("/f", timeout = 5)]
    async fn number() {}

    #[portway::post("/g" to = "/")]
    async fn comma() {}
}
