use portway::{
    MapResult,
    plugin::{Error, Response},
};

#[portway::hook]
async fn hook(answer: &mut Response) {}

#[portway::hook]
async fn outcome(answer: &mut Result<Response, Error>) {}

#[portway::map]
async fn map(input: String, answer: &mut Response) -> MapResult<String> {
    Ok(input)
}
