//! `response-headers`: edits the header fields of answers on their way to the client.
//!
//! Errors are answers too: a 401, a 429 or a 502 of the gateway gets the same fields. It never
//! touches what frames a message.

#[cfg(test)]
mod tests;

use portway_plugin::{Next, Plugin, Problem, Request, Response, Result};

use crate::{
    asked::Asked,
    header_edit::{HeaderEdit, HeaderEditSpec, Side},
};

/// Changes the header fields of answers, those of errors included.
#[derive(Debug)]
pub struct ResponseHeaders(HeaderEdit);

impl Plugin for ResponseHeaders {
    const NAME: &'static str = "response-headers";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = HeaderEditSpec;

    fn create(spec: HeaderEditSpec) -> Result<Self, Problem> {
        HeaderEdit::new(&spec, Side::Response).map(Self)
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let made = self.0.make(&Asked::new(next.exchange(), &request));
        let mut result = next.run(request).await;
        let headers = match &mut result {
            Ok(response) => response.headers_mut(),
            Err(error) => error.headers_mut(),
        };
        self.0.apply(headers, made);
        result
    }
}
