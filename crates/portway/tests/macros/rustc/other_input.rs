#[portway::map]
async fn remap(input: String) -> portway::MapResult<String> {
    Ok(input)
}

#[portway::service]
mod shop {
    #[portway::post("/a", json = Vec<u8>, map = super::remap)]
    async fn a() {}
}
