#[portway::service(version = "1")]
mod service {}

#[portway::service]
mod route {
    #[portway::get("/items", jsn = String)]
    async fn items() {}

    #[portway::post("/items", methods = ["PUT"])]
    async fn more() {}
}

#[portway::hook(first)]
async fn hook() {}
