//! What everybody may look at who reaches the API: its document, and a page to try it.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use portway_core::Response;

use super::{answer::response, service::Inner};

/// Scripts and styles come from here alone, and nobody frames the page.
const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; \
                      img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer to a request for one of them.
pub(crate) fn page(api: &Inner, head: &Parts) -> Option<Response> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let (kind, body) = match head.uri.path() {
        "/" => ("text/html; charset=utf-8", text(include_str!("explorer/index.html"))),
        "/explorer.css" => ("text/css; charset=utf-8", text(include_str!("explorer/explorer.css"))),
        "/explorer.js" => {
            ("text/javascript; charset=utf-8", text(include_str!("explorer/explorer.js")))
        }
        "/icon.svg" => ("image/svg+xml", text(include_str!("explorer/icon.svg"))),
        "/openapi.json" => ("application/json", api.document()),
        "/healthz" => ("text/plain; charset=utf-8", text("ok\n")),
        _ => return None,
    };
    let mut response = response(StatusCode::OK, kind, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(response)
}

fn text(page: &'static str) -> Bytes {
    Bytes::from_static(page.as_bytes())
}
