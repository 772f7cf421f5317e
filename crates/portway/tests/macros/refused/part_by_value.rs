use portway::{Head, RawBody, Scope, plugin::Response};

#[portway::hook]
async fn head(head: Head) {}

#[portway::hook]
async fn scope(scope: Scope<'_>) {}

#[portway::hook]
async fn body(body: &RawBody) {}

#[portway::after]
async fn answer(answer: Response) {}

#[portway::after]
async fn read(answer: &Response) {}
