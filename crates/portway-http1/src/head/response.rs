//! Heads of answers (RFC 9112 section 4).

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};
use httparse::{Error as ParseError, ParserConfig, Status};

use super::{
    Scan, Spelling,
    fields::{Facts, Space, collect},
};
use crate::{body::Framing, error::HeadError};

/// What the head of an answer says.
#[derive(Debug)]
pub struct ResponseHead {
    /// The status. The reason phrase says nothing and is not kept.
    pub status: StatusCode,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// All fields, their values slices of the head; without a `Connection` that says no more
    /// than `close` or `keep-alive`.
    pub headers: HeaderMap,
    /// How the body is framed.
    pub framing: Framing,
    /// Whether the connection can take another request afterwards (RFC 9112 section 9.3).
    pub keep_alive: bool,
    /// How the names of its fields were spelled, where that is kept.
    pub spelling: Option<Spelling>,
}

/// Reads the whole head of an answer to a request with `method`, whose end `scan` has found.
///
/// # Errors
/// Whatever RFC 9112 forbids, and what two readers could understand differently.
pub fn parse_response(
    head: &Bytes,
    scan: &Scan,
    method: &Method,
) -> Result<ResponseHead, HeadError> {
    let mut space = Space::new();
    let lines = space.of(scan.fields());
    let mut response = httparse::Response::new(&mut []);
    match ParserConfig::default().parse_response_with_uninit_headers(&mut response, head, lines) {
        Ok(Status::Complete(end)) if end == head.len() => {}
        Err(ParseError::HeaderName | ParseError::HeaderValue) => return Err(HeadError::Field),
        Err(ParseError::TooManyHeaders) => return Err(HeadError::TooManyFields),
        Err(ParseError::Version) => return Err(HeadError::Version),
        _ => return Err(HeadError::StartLine),
    }
    let (Some(code), Some(version)) = (response.code, response.version) else {
        return Err(HeadError::StartLine);
    };
    let status = StatusCode::from_u16(code).ok().filter(|status| status.as_u16() < 600);
    let status = status.ok_or(HeadError::StartLine)?;
    let version = if version == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    let mut facts = Facts::default();
    let headers = collect(head, response.headers, &mut facts)?;
    let is_11 = version == Version::HTTP_11;
    if facts.chunked && !is_11 {
        return Err(HeadError::TransferEncoding);
    }
    let said = facts.framing()?;
    let framing = if has_no_body(method, status) {
        Framing::None
    } else {
        said.unwrap_or(Framing::UntilClose)
    };
    let keep_alive = !facts.close && (is_11 || facts.keep_alive) && framing != Framing::UntilClose;
    Ok(ResponseHead { status, version, headers, framing, keep_alive, spelling: None })
}

/// Answers that end with their head, whatever it says (RFC 9112 section 6.3).
pub(crate) fn has_no_body(method: &Method, status: StatusCode) -> bool {
    *method == Method::HEAD
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
}
