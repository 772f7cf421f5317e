//! `request-size-limit` at work.

use http::header;
use http_body::Body as _;
use portway_plugin::{Body, Next, Plugin, Problem, Request, Response, Result};

use super::{
    RequestSizeLimitSpec,
    counted::{Counted, too_large},
};

/// Refuses requests with a body that is too large.
#[derive(Debug)]
pub struct RequestSizeLimit {
    max: Option<u64>,
}

impl Plugin for RequestSizeLimit {
    const NAME: &'static str = "request-size-limit";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = RequestSizeLimitSpec;

    fn create(spec: RequestSizeLimitSpec) -> Result<Self, Problem> {
        Ok(Self { max: spec.max.limit() })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let Some(max) = self.max else { return next.run(request).await };
        let size = request.body().size_hint();
        if size.lower() > max || declared(&request).is_some_and(|length| length > max) {
            return Err(too_large(max));
        }
        if size.exact().is_some() {
            // It holds what it says.
            return next.run(request).await;
        }
        next.run(request.map(|body| Body::stream(Counted { body, max, seen: 0 }))).await
    }
}

/// What the head of the request says about its body.
fn declared(request: &Request) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
