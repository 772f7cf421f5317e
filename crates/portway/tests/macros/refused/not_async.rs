#[portway::hook]
fn hook() {}

#[portway::map]
fn map(input: String) -> portway::MapResult<String> {
    Ok(input)
}

#[portway::after]
fn after(answer: &mut portway::plugin::Response) {}

#[portway::service]
mod shop {
    #[portway::get("/items", handler)]
    fn handler() {}
}
