//! Failures as gRPC tells them: HTTP 200, and the code in `grpc-status`.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Response as HttpResponse, StatusCode,
    header::{self, CONTENT_TYPE},
};
use portway_plugin::{Body, Error, Response};

use super::{Kind, told::Told, web};

pub(super) const STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(super) const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
pub(super) const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Where the stable code of a failure of the gateway stands, such as `no_route`. It is metadata of
/// the call, so it has no `x-` and no upper case.
const ERROR_CODE: HeaderName = HeaderName::from_static("portway-error-code");

/// How a call ended: the codes of gRPC that a gateway has a use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Cancelled = 1,
    Unknown = 2,
    DeadlineExceeded = 4,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

impl Code {
    /// The code for an HTTP status.
    ///
    /// It is gRPC's own table (`http-grpc-status-mapping`) with what a gateway knows better: its 504
    /// is a deadline and its 429 and 413 are limits, which a client must not take for an upstream
    /// that is down and ask again at once.
    pub(crate) fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            400 | 500 => Self::Internal,
            401 | 407 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 | 405 | 415 | 501 | 505 => Self::Unimplemented,
            408 | 504 => Self::DeadlineExceeded,
            409 => Self::Aborted,
            412 | 428 => Self::FailedPrecondition,
            413 | 414 | 429 | 431 | 507 => Self::ResourceExhausted,
            416 => Self::OutOfRange,
            421 | 502 | 503 => Self::Unavailable,
            499 => Self::Cancelled,
            _ => Self::Unknown,
        }
    }

    /// The value of `grpc-status`.
    pub(crate) fn value(self) -> HeaderValue {
        HeaderValue::from(self as u16)
    }
}

/// The answer for a failure of the gateway: nothing but how the call ended. `kind` is
/// [`Kind::answering`]'s. What the failure says in header fields, such as `Retry-After`, stays.
pub(crate) fn refusal(error: &Error, kind: Kind) -> Response {
    let mut ending = ending(Code::of(error.status()), error.message());
    ending.insert(ERROR_CODE, HeaderValue::from_static(error.code()));
    ended(error.headers().clone(), ending, kind)
}

/// Whether an answer is gRPC's. With another status than 200 it is only where it says itself how
/// the call ended.
pub(super) fn is_answer(response: &Response) -> bool {
    let headers = response.headers();
    Kind::of(headers).is_some()
        && (response.status() == StatusCode::OK || headers.contains_key(STATUS))
}

/// Makes an answer that is not gRPC's, such as the page of a load balancer that is overloaded, into
/// one: clients of gRPC cannot read the page. Its body is dropped. Answers of gRPC are left alone,
/// but for an end that says nothing.
pub(crate) fn settle(response: Response, kind: Kind) -> Response {
    if is_answer(&response) {
        let is_told = response.headers().contains_key(STATUS);
        return if is_told { response } else { response.map(|body| Body::stream(Told::new(body))) };
    }
    let status = response.status();
    let mut headers = response.into_parts().0.headers;
    for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRAILER] {
        headers.remove(name);
    }
    let message = format!("the upstream answered {} and no gRPC", status.as_u16());
    ended(headers, ending(Code::of(status), &message), kind)
}

/// What the end of a call says.
pub(super) fn ending(code: Code, message: &str) -> HeaderMap {
    let mut ending = HeaderMap::with_capacity(3);
    ending.insert(STATUS, code.value());
    ending.insert(MESSAGE, percent_encoded(message));
    ending
}

/// A call that ends with its head. Browsers are told in a frame of trailers: they do not show all
/// header fields to scripts of other origins.
fn ended(mut headers: HeaderMap, ending: HeaderMap, kind: Kind) -> Response {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind.media_type()));
    let body = if kind.is_web() {
        Body::from(web::trailers(&ending, kind))
    } else {
        headers.extend(ending);
        Body::empty()
    };
    let mut response = HttpResponse::new(body);
    *response.headers_mut() = headers;
    response
}

/// The text as `grpc-message` has it: what is not printable ASCII, and the percent sign, as
/// `%` and two digits (gRPC over HTTP/2, "Responses").
fn percent_encoded(message: &str) -> HeaderValue {
    let mut text = BytesMut::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => text.extend_from_slice(&[byte]),
            _ => write!(text, "%{byte:02X}").expect("a buffer that grows takes every text"),
        }
    }
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("printable ASCII")
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    #[test]
    fn codes() {
        for (status, code) in [
            (400, 13),
            (401, 16),
            (403, 7),
            (404, 12),
            (408, 4),
            (413, 8),
            (418, 2),
            (421, 14),
            (429, 8),
            (499, 1),
            (500, 13),
            (502, 14),
            (503, 14),
            (504, 4),
            (200, 2),
        ] {
            let found = Code::of(StatusCode::from_u16(status).unwrap());
            assert_eq!(found.value(), code.to_string().as_str(), "{status}");
        }
    }

    #[test]
    fn a_failure_is_trailers_and_nothing_else() {
        let error = Error::client(StatusCode::NOT_FOUND, "no_route", "no route: 100 %, ä\n")
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("3"));
        let response = refusal(&error, Kind::Grpc);
        assert_eq!(response.status(), StatusCode::OK);
        for (name, value) in [
            ("content-type", "application/grpc"),
            ("grpc-status", "12"),
            ("grpc-message", "no route: 100 %25, %C3%A4%0A"),
            ("portway-error-code", "no_route"),
            ("retry-after", "3"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        assert!(response.body().is_end_stream());
    }

    #[test]
    fn a_page_becomes_a_status_and_an_answer_of_grpc_stays() {
        let page = || {
            HttpResponse::builder()
                .status(503)
                .header("content-type", "text/html")
                .header("content-length", "5")
                .header("retry-after", "9")
                .body(Body::from(Bytes::from_static(b"sorry")))
                .unwrap()
        };
        let response = settle(page(), Kind::Grpc);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["grpc-status"], "14");
        assert_eq!(response.headers()["retry-after"], "9");
        assert!(!response.headers().contains_key("content-length"));
        assert!(response.body().is_end_stream());

        // What has the type of gRPC and does not say how the call ended is a page too.
        let mut grpc = page();
        grpc.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        assert_eq!(settle(grpc, Kind::Grpc).headers()["grpc-status"], "14");

        let mut grpc = page();
        *grpc.status_mut() = StatusCode::OK;
        grpc.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        assert!(!settle(grpc, Kind::Grpc).headers().contains_key("grpc-status"));
    }
}
