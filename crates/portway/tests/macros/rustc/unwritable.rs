struct Mine;

#[portway::map]
async fn remap(_input: String) -> portway::MapResult<Mine> {
    Ok(Mine)
}
