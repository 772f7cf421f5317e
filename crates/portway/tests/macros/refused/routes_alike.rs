#[portway::service]
mod shop {
    #[portway::get("/items/{id}")]
    async fn one() {}

    #[portway::get("/items/{name}")]
    async fn other() {}

    #[portway::any("/all")]
    async fn all() {}

    #[portway::any("/all")]
    async fn all_again() {}
}
