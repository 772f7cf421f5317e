#[portway::service]
mod shop {
    #[portway::get("/items/{id}", to = "/v2/{item}")]
    async fn unknown() {}

    #[portway::get("/items", to = "/v2/{item}")]
    async fn none() {}

    #[portway::get("/old/{id}", to = "/v2/{id")]
    async fn open() {}

    #[portway::get("/older/{id}", to = "v2/{id}")]
    async fn without_slash() {}
}
