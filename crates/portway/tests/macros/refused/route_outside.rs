#[portway::get("/items")]
async fn items() {}
