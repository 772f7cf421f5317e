#[portway::map]
async fn remap(input: &String) -> portway::MapResult<&str> {
    let text = input.trim().to_owned();
    Ok(&text)
}
