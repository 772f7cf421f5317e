#[portway::service]
mod routes {
    #[portway::get]
    async fn bare() {}

    #[portway::get()]
    async fn empty() {}

    #[portway::get(to = "/a")]
    async fn named() {}
}
