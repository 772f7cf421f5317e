async fn plain() {}

#[portway::service]
mod shop {
    #[portway::get("/a", before = [super::plain])]
    async fn no_hook() {}

    #[portway::get("/b", before = [super::nowhere])]
    async fn no_function() {}
}
