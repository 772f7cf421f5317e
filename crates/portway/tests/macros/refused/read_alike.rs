#[portway::service]
mod shop {
    #[portway::get("/items/{id}", path = Fields, query = Fields)]
    async fn item() {}

    type Fields = std::collections::HashMap<String, String>;
}
