//! Request heads (RFC 9112 section 3).

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, Version};
use httparse::{Error as ParseError, ParserConfig, Status};

use super::{
    Scan, Spelling,
    fields::{Facts, Space, collect},
};
use crate::{body::Framing, error::HeadError};

/// What a request's head says.
#[derive(Debug)]
pub struct RequestHead {
    /// The method, spelled as it was.
    pub method: Method,
    /// The target: a path, an absolute URI, an authority or `*`.
    pub uri: Uri,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// All fields, their values slices of the head; without a `Connection` that says no more
    /// than `close` or `keep-alive`.
    pub headers: HeaderMap,
    /// How the body is framed.
    pub framing: Framing,
    /// Whether the client wants another request on the connection (RFC 9112 section 9.3).
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` (RFC 9110 section 10.1.1).
    pub expects_continue: bool,
    /// Whether the client offers to switch protocols (RFC 9110 section 7.8).
    pub upgrades: bool,
    /// How the names of its fields were spelled, where that is kept.
    pub spelling: Option<Spelling>,
}

/// Reads a whole head, whose end `scan` has found.
///
/// # Errors
/// Whatever RFC 9112 forbids, and what two readers could understand differently.
pub fn parse_request(head: &Bytes, scan: &Scan) -> Result<RequestHead, HeadError> {
    let mut space = Space::new();
    let lines = space.of(scan.fields());
    let mut request = httparse::Request::new(&mut []);
    match ParserConfig::default().parse_request_with_uninit_headers(&mut request, head, lines) {
        Ok(Status::Complete(end)) if end == head.len() => {}
        Ok(_) => return Err(HeadError::StartLine),
        Err(error) => return Err(refusal(error, head)),
    }
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(HeadError::StartLine);
    };
    let version = if version == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::StartLine)?;
    let mut facts = Facts::default();
    let headers = collect(head, request.headers, &mut facts)?;
    if facts.hosts > 1 || (facts.hosts == 0 && version == Version::HTTP_11) {
        return Err(HeadError::Host);
    }
    if facts.chunked && version == Version::HTTP_10 {
        return Err(HeadError::TransferEncoding);
    }
    let framing = facts.framing()?.unwrap_or(Framing::None);
    let is_11 = version == Version::HTTP_11;
    Ok(RequestHead {
        uri: parse_target(head, target, &method)?,
        method,
        version,
        headers,
        framing,
        keep_alive: !facts.close && (is_11 || facts.keep_alive),
        expects_continue: facts.expect && is_11 && framing != Framing::None,
        upgrades: facts.upgrade && is_11,
        spelling: None,
    })
}

/// One of the four forms of RFC 9112 section 3.2, without a fragment and in ASCII.
fn parse_target(head: &Bytes, target: &str, method: &Method) -> Result<Uri, HeadError> {
    if !target.is_ascii() || target.contains('#') {
        return Err(HeadError::Target);
    }
    let bytes = head.slice_ref(target.as_bytes());
    let uri = Uri::from_maybe_shared(bytes).map_err(|_| HeadError::Target)?;
    let fits = match target.as_bytes()[0] {
        _ if *method == Method::CONNECT => uri.scheme().is_none() && uri.port().is_some(),
        b'/' => true,
        b'*' => target.len() == 1 && *method == Method::OPTIONS,
        _ => uri.scheme().is_some() && uri.authority().is_some(),
    };
    if fits { Ok(uri) } else { Err(HeadError::Target) }
}

fn refusal(error: ParseError, head: &[u8]) -> HeadError {
    match error {
        ParseError::Version => {
            let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
            match line.rsplit(|&byte| byte == b' ').next() {
                Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9']) => HeadError::Version,
                _ => HeadError::StartLine,
            }
        }
        ParseError::HeaderName | ParseError::HeaderValue => HeadError::Field,
        ParseError::TooManyHeaders => HeadError::TooManyFields,
        _ => HeadError::StartLine,
    }
}
