#[portway::service]
mod shop {
    #[portway::route("/items")]
    async fn none() {}

    #[portway::route("/items", methods = [])]
    async fn empty() {}

    #[portway::route("/items", methods = ["get"])]
    async fn small() {}
}
