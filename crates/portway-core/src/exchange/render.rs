//! The one renderer: every failure looks the same, in the form the client accepts.

use http::{HeaderValue, Request, Response as HttpResponse, header};
use portway_plugin::{Body, Error, Escape, Response};

/// The form of an error's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text,
    Html,
}

/// The answer for `error`, in the form the client accepts.
pub(crate) fn render(error: &Error, accepted: &Accepted, request_id: &HeaderValue) -> Response {
    let id = request_id.to_str().unwrap_or_default();
    let (kind, body) = match accepted.form() {
        Form::Json => ("application/json", json(error, id)),
        Form::Text => ("text/plain; charset=utf-8", text(error, id)),
        Form::Html => ("text/html; charset=utf-8", html(error, id)),
    };
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = error.status();
    *response.headers_mut() = error.headers().clone();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What a client accepts: kept before the request's head is given away, read only if an error has
/// to be rendered.
#[derive(Clone, Debug)]
pub(crate) struct Accepted(Option<HeaderValue>);

impl Accepted {
    /// What the client of this request accepts.
    pub(crate) fn by<B>(request: &Request<B>) -> Self {
        Self(request.headers().get(header::ACCEPT).cloned())
    }

    /// Whatever there is.
    pub(crate) fn any() -> Self {
        Self(None)
    }

    /// JSON unless the client asks for HTML or text before it (RFC 9110 section 12.5.1).
    fn form(&self) -> Form {
        let Some(accept) = self.0.as_ref().and_then(|value| value.to_str().ok()) else {
            return Form::Json;
        };
        let mut best = (0_u16, Form::Json);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next() {
                Some("application/json" | "application/*" | "application/problem+json" | "*/*") => {
                    Form::Json
                }
                Some("text/html") => Form::Html,
                Some("text/plain" | "text/*") => Form::Text,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, quality);
            if quality > best.0 {
                best = (quality, form);
            }
        }
        best.1
    }
}

/// A quality value in thousandths.
fn quality(text: &str) -> u16 {
    let value: f32 = text.parse().unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000, and a NaN becomes 0"
    )]
    let thousandths = (value.clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}

fn json(error: &Error, id: &str) -> String {
    serde_json::json!({
        "code": error.code(),
        "message": error.message(),
        "request_id": id,
    })
    .to_string()
}

fn text(error: &Error, id: &str) -> String {
    format!("{}: {}\nrequest id: {id}\n", error.code(), error.message())
}

fn html(error: &Error, id: &str) -> String {
    let said = [&error.status().to_string(), error.message(), error.code(), id];
    let [title, message, code, id] = said.map(|text| Escape::Html.text(text));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         </head>\n<body><h1>{title}</h1><p>{message}</p>\
         <p><small>{code} &middot; {id}</small></p></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn form(accept: &str) -> Form {
        Accepted(Some(HeaderValue::from_str(accept).expect("a header value"))).form()
    }

    #[test]
    fn json_unless_the_client_prefers_otherwise() {
        assert_eq!(Accepted(None).form(), Form::Json);
        for (accept, expected) in [
            ("*/*", Form::Json),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Form::Html),
            ("text/plain", Form::Text),
            ("text/html;q=0.5, application/json", Form::Json),
            ("application/json;q=0, text/plain;q=0.1", Form::Text),
            ("image/png", Form::Json),
        ] {
            assert_eq!(form(accept), expected, "{accept}");
        }
    }

    #[test]
    fn every_form_tells_code_message_and_request_id() {
        let error = Error::client(StatusCode::NOT_FOUND, "no_route", "no <route>");
        let id = HeaderValue::from_static("abc");
        for render in [json, text, html] {
            let body = render(&error, id.to_str().expect("ASCII"));
            assert!(body.contains("no_route") && body.contains("abc"), "{body}");
        }
        assert!(html(&error, "abc").contains("no &lt;route&gt;"));
    }
}
