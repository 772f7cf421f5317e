use portway::{Head, MapResult};

#[portway::map]
async fn without_input(head: &mut Head) -> MapResult<String> {
    Ok(String::new())
}

#[portway::map]
async fn without_result(input: String) -> String {
    input
}

#[portway::map]
async fn without_anything(input: String) {}
