#[portway::service]
mod shop {
    #[portway::get("items")]
    async fn without_slash() {}

    #[portway::get("/items?all")]
    async fn with_query() {}

    #[portway::get("/items/{id")]
    async fn open() {}

    #[portway::get("/items/id}")]
    async fn closed() {}

    #[portway::get("/items/{}")]
    async fn nameless() {}

    #[portway::get("/items/{item-id}")]
    async fn no_name() {}

    #[portway::get("/items/{id}/{id}")]
    async fn twice() {}

    #[portway::get("/{*rest}/items")]
    async fn rest_in_the_middle() {}
}
