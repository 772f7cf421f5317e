//! One webhook.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use portway_plugin::{Body, Host, Problem, Request, ResponseExt, Result, value::EndpointScheme};

use super::{
    WebhookSpec,
    error::{unavailable, unusable},
    head::{Said, inward},
};

/// The most of an answer the gateway reads for a plugin.
const MOST: u64 = 8 * 1024 * 1024;

/// Who is asked, and how.
pub(super) struct Hook {
    uri: Uri,
    pub(super) timeout: Duration,
    pub(super) max_body: usize,
    pub(super) fail_open: bool,
}

/// A message that takes the place of another.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) said: Said,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Hook {
    /// `key` is where the spec stands.
    ///
    /// # Errors
    /// A URL that cannot be asked, or limits that are none.
    pub(super) fn new(spec: &WebhookSpec, key: &str) -> Result<Self, Problem> {
        let scheme = spec.url.scheme();
        if !matches!(scheme, EndpointScheme::Http | EndpointScheme::Https)
            || spec.url.unix().is_some()
        {
            let problem =
                Problem::new("unsupported_scheme", "a webhook cannot be asked by this URL");
            return Err(problem.at(format!("{key}.url")).hint("use http:// or https://"));
        }
        let Some(timeout) = spec.timeout.limit() else {
            let problem = Problem::new("bad_value", "a webhook that is waited for needs a limit");
            return Err(problem.at(format!("{key}.timeout")).hint("write a time, such as 2s"));
        };
        let max_body = spec.max_body.limit().filter(|max_body| *max_body <= MOST);
        let Some(max_body) = max_body.and_then(|max_body| usize::try_from(max_body).ok()) else {
            let problem = Problem::new("bad_value", "a webhook gets and gives at most 8MiB");
            return Err(problem.at(format!("{key}.max_body")).hint("write a size, such as 1MiB"));
        };
        let url = spec.url.to_string();
        let uri = url.parse().map_err(|_| {
            Problem::new("bad_url", "a webhook cannot be asked by this URL")
                .at(format!("{key}.url"))
        })?;
        Ok(Self { uri, timeout, max_body, fail_open: spec.fail_open })
    }

    /// Sends a message. `None` where it is to stay as it is.
    ///
    /// # Errors
    /// Nobody answered, or the answer cannot be used.
    pub(super) async fn ask(
        &self,
        headers: HeaderMap,
        body: Bytes,
        host: &Host,
    ) -> Result<Option<Other>> {
        let length = HeaderValue::from(body.len());
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::CONTENT_LENGTH, length);
        let mut answer = host.fetch(request, self.timeout).await.map_err(unavailable)?;
        match answer.status() {
            StatusCode::NO_CONTENT => return Ok(None),
            StatusCode::OK => {}
            other => return Err(unusable(format!("the webhook has answered {other}"))),
        }
        let body = answer.buffer(self.max_body).await;
        let body = body.map_err(|error| unusable(error.cause()))?;
        let mut headers = std::mem::take(answer.headers_mut());
        let said = inward(&mut headers)?;
        Ok(Some(Other { said, headers, body }))
    }
}

/// Without the URL, whose query may have a key in it.
impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
