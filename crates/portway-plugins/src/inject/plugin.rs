//! The plugin.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body::Body as _;
use portway_plugin::{
    Body, Error, Host, Level, Next, Plugin, Problem, Request, RequestExt, Response, ResponseExt,
    Result,
};

use super::{
    InjectSpec,
    head::{STATUS, outward},
    hook::{Hook, Other},
};

/// Lets webhooks put other messages in the place of requests and answers.
#[derive(Debug)]
pub struct Inject {
    request: Option<Hook>,
    response: Option<Hook>,
}

/// What a webhook for answers is told about the request.
struct Asked {
    method: Method,
    uri: Uri,
}

impl Plugin for Inject {
    const NAME: &'static str = "inject";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = InjectSpec;

    fn create(spec: InjectSpec) -> Result<Self, Problem> {
        let hook = |spec: Option<_>, key| spec.map(|spec| Hook::new(&spec, key)).transpose();
        let (request, response) =
            (hook(spec.request, "request")?, hook(spec.response, "response")?);
        if request.is_none() && response.is_none() {
            return Err(Problem::new("missing", "no webhook is given")
                .hint("say who is asked about request, response or both"));
        }
        Ok(Self { request, response })
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        if let Some(hook) = &self.request {
            hook_request(hook, &mut request, next.host()).await?;
        }
        let Some(hook) = &self.response else { return next.run(request).await };
        let asked = Asked { method: request.method().clone(), uri: request.uri().clone() };
        let response = next.run(request).await?;
        if must_flow(&response) {
            return Ok(response);
        }
        hook_response(hook, response, &asked, next.host()).await
    }
}

async fn hook_request(hook: &Hook, request: &mut Request, host: &Host) -> Result<()> {
    if hook.fail_open && is_longer(request.body(), hook.max_body) {
        return Ok(());
    }
    let body = request.buffer(hook.max_body).await?;
    let headers = outward(request.headers(), request.method(), request.uri());
    let Some(other) = asked(hook, headers, body, host).await? else { return Ok(()) };
    let Other { said, headers, body } = other;
    if let Some(method) = said.method {
        *request.method_mut() = method;
    }
    if let Some(target) = said.target {
        *request.uri_mut() = Uri::from(target);
    }
    let asked_host = request.headers().get(header::HOST).cloned();
    replace(request.headers_mut(), headers, &body);
    match asked_host {
        // Where a request goes is for `rewrite` to say.
        Some(asked_host) => drop(request.headers_mut().insert(header::HOST, asked_host)),
        None => drop(request.headers_mut().remove(header::HOST)),
    }
    *request.body_mut() = Body::from(body);
    Ok(())
}

async fn hook_response(
    hook: &Hook,
    mut response: Response,
    of: &Asked,
    host: &Host,
) -> Result<Response> {
    if hook.fail_open && is_longer(response.body(), hook.max_body) {
        return Ok(response);
    }
    let body = response.buffer(hook.max_body).await?;
    let mut headers = outward(response.headers(), &of.method, &of.uri);
    headers.insert(STATUS, HeaderValue::from(response.status().as_u16()));
    let Some(other) = asked(hook, headers, body, host).await? else { return Ok(response) };
    let Other { said, headers, body } = other;
    if let Some(status) = said.status {
        *response.status_mut() = status;
    }
    let without = of.method == Method::HEAD
        || matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        );
    let body = if without { Bytes::new() } else { body };
    replace(response.headers_mut(), headers, &body);
    if without {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    *response.body_mut() = Body::from(body);
    Ok(response)
}

/// What the webhook puts in the place of a message. `None` where it stays as it is: because the
/// webhook says so, or because it failed and may fail.
async fn asked(
    hook: &Hook,
    headers: HeaderMap,
    body: Bytes,
    host: &Host,
) -> Result<Option<Other>, Error> {
    match hook.ask(headers, body, host).await {
        Err(error) if hook.fail_open => {
            host.log(Level::Warn, format!("a webhook has failed: {error}: {}", error.cause()));
            host.counter("failed_open").add_one();
            Ok(None)
        }
        asked => asked,
    }
}

fn replace(headers: &mut HeaderMap, other: HeaderMap, body: &Bytes) {
    *headers = other;
    if body.is_empty() {
        headers.remove(header::CONTENT_LENGTH);
    } else {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
}

fn is_longer(body: &Body, max: usize) -> bool {
    body.size_hint().lower() > max as u64
}

/// What cannot be read whole.
fn must_flow(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let begins = |kind: &HeaderValue, with: &[u8]| {
        kind.as_bytes().get(..with.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(with))
    };
    response.status().is_informational()
        || kind.is_some_and(|kind| {
            begins(kind, b"text/event-stream") || begins(kind, b"application/grpc")
        })
}
