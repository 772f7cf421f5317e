//! `request-headers`: edits the header fields of requests on their way to the upstream.
//!
//! It never touches what frames a message, and never what the gateway says about who asks.

#[cfg(test)]
mod tests;

use portway_plugin::{Next, Plugin, Problem, Request, Response, Result};

use crate::{
    asked::Asked,
    header_edit::{HeaderEdit, HeaderEditSpec, Side},
};

/// Changes the header fields of requests.
#[derive(Debug)]
pub struct RequestHeaders(HeaderEdit);

impl Plugin for RequestHeaders {
    const NAME: &'static str = "request-headers";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = HeaderEditSpec;

    fn create(spec: HeaderEditSpec) -> Result<Self, Problem> {
        HeaderEdit::new(&spec, Side::Request).map(Self)
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        let made = self.0.make(&Asked::new(next.exchange(), &request));
        self.0.apply(request.headers_mut(), made);
        next.run(request).await
    }
}
