//! The plugin.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body::Body as _;
use portway_plugin::{
    Body, Host, Next, Plugin, Problem, Request, RequestExt, Response, ResponseExt, Result,
};

use super::{BodyTransformSpec, error::Flaw, transform::Transform};
use crate::{asked::Asked, header_edit::Side};

/// A body above this takes more than a moment: it is worked on off the data plane.
const MOMENT: usize = 64 * 1024;

/// Makes other bodies of JSON bodies.
#[derive(Debug)]
pub struct BodyTransform {
    request: Option<Arc<Transform>>,
    response: Option<Arc<Transform>>,
    max_body: usize,
}

impl Plugin for BodyTransform {
    const NAME: &'static str = "body-transform";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = BodyTransformSpec;

    fn create(spec: BodyTransformSpec) -> Result<Self, Problem> {
        if spec.request.is_none() && spec.response.is_none() {
            return Err(Problem::new("missing", "nothing is transformed")
                .hint("say what is done to request, response or both"));
        }
        let Some(max_body) = spec.max_body.limit() else {
            let problem = Problem::new("bad_value", "a body that is read whole needs a limit");
            return Err(problem.at("max_body").hint("write a size, such as 1MiB"));
        };
        let request = spec.request.map(|spec| Transform::new(spec, "request")).transpose()?;
        let response = spec.response.map(|spec| Transform::new(spec, "response")).transpose()?;
        Ok(Self {
            request: request.map(Arc::new),
            response: response.map(Arc::new),
            max_body: usize::try_from(max_body).unwrap_or(usize::MAX),
        })
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        let asked = self.response.as_ref().map(|transform| {
            let asked = transform.asked(&Asked::new(exchange, &request));
            (transform, asked, *request.method() == Method::HEAD)
        });
        if let Some(transform) = &self.request {
            self.request(transform, &mut request, next).await?;
        }
        let Some((transform, asked, is_head)) = asked else { return next.run(request).await };
        for whole in [header::ACCEPT_ENCODING, header::RANGE, header::IF_RANGE] {
            request.headers_mut().remove(whole);
        }
        let response = next.run(request).await?;
        if is_head || !has_whole_body(&response) {
            return Ok(response);
        }
        self.response(transform, response, asked, next.host()).await
    }
}

impl BodyTransform {
    async fn request(
        &self,
        transform: &Arc<Transform>,
        request: &mut Request,
        next: Next<'_>,
    ) -> Result<()> {
        if request.body().is_end_stream() {
            return Ok(());
        }
        if !transform.takes(request.headers()) {
            return not_taken(transform, Side::Request);
        }
        let asked = transform.asked(&Asked::new(next.exchange(), request));
        let body = request.buffer(self.max_body).await?;
        let made = work(transform, body, asked, next.host()).await;
        let made = made.map_err(|flaw| flaw.of(Side::Request))?;
        transform.describe(request.headers_mut(), &made);
        *request.body_mut() = Body::from(made);
        Ok(())
    }

    async fn response(
        &self,
        transform: &Arc<Transform>,
        mut response: Response,
        asked: Vec<String>,
        host: &Host,
    ) -> Result<Response> {
        if !transform.takes(response.headers()) {
            return not_taken(transform, Side::Response).map(|()| response);
        }
        let body = response.buffer(self.max_body).await?;
        let made = work(transform, body, asked, host).await;
        let made = made.map_err(|flaw| flaw.of(Side::Response))?;
        transform.describe(response.headers_mut(), &made);
        *response.body_mut() = Body::from(made);
        Ok(response)
    }
}

async fn work(
    transform: &Arc<Transform>,
    body: Bytes,
    asked: Vec<String>,
    host: &Host,
) -> Result<Bytes, Flaw> {
    if body.len() <= MOMENT {
        return transform.apply(&body, asked);
    }
    let transform = Arc::clone(transform);
    let made = host.blocking(move || transform.apply(&body, asked)).await;
    made.map_err(Flaw::Busy)?
}

fn not_taken(transform: &Transform, side: Side) -> Result<()> {
    if transform.required { Err(Flaw::Type.of(side)) } else { Ok(()) }
}

fn has_whole_body(response: &Response) -> bool {
    let status = response.status();
    let without = status.is_informational()
        || matches!(
            status,
            StatusCode::NO_CONTENT
                | StatusCode::RESET_CONTENT
                | StatusCode::PARTIAL_CONTENT
                | StatusCode::NOT_MODIFIED
        );
    !without && !response.body().is_end_stream()
}
