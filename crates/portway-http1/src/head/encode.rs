//! Heads on their way out. What frames a body is written here and nowhere else: what a header map
//! says about that is not believed.

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri, header};

use super::{
    FieldWriter, MoreFields, Spelling, date, fields::put_field, response::has_no_body,
    spelling::put_spelled,
};
use crate::body::Framing;

/// What a sender says about its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Nothing: HTTP/1.1 keeps it.
    Default,
    /// `close`: this message is the last.
    Close,
    /// `keep-alive`, which an HTTP/1.0 client has to be told.
    KeepAlive,
}

/// Writes a request's head. The target is written in origin form, but for `*` and `CONNECT`.
/// `Content-Length` and `Transfer-Encoding` are those of `framing`.
pub fn encode_request<B>(request: &Request<B>, framing: Framing, out: &mut BytesMut) {
    encode_request_with(request, framing, None, out);
}

/// The same, with the fields that `more` writes behind those of the map.
pub(crate) fn encode_request_with<B>(
    request: &Request<B>,
    framing: Framing,
    more: Option<MoreFields<'_>>,
    out: &mut BytesMut,
) {
    let (method, headers) = (request.method(), request.headers());
    out.reserve(256 + 32 * headers.len());
    out.extend_from_slice(method.as_str().as_bytes());
    out.extend_from_slice(b" ");
    put_target(request.uri(), method, out);
    out.extend_from_slice(b" HTTP/1.1\r\n");
    put_headers(headers, request.extensions().get(), framing, false, out);
    if let Some(more) = more {
        more(&mut FieldWriter::lines(out));
    }
    match framing {
        // A method that gives a body meaning says so when there is none (RFC 9110 section 8.6).
        Framing::None if matches!(*method, Method::POST | Method::PUT | Method::PATCH) => {
            put_length(0, out);
        }
        Framing::None => {}
        framing => put_framing(framing, out),
    }
    out.extend_from_slice(b"\r\n");
}

fn put_target(uri: &Uri, method: &Method, out: &mut BytesMut) {
    if *method == Method::CONNECT {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        out.extend_from_slice(authority.as_bytes());
        return;
    }
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    if !target.starts_with('/') && target != "*" {
        out.extend_from_slice(b"/");
    }
    out.extend_from_slice(target.as_bytes());
}

/// Writes the head of the final answer to a request with `method`. An answer that has no body by
/// its status or method keeps the length it states, where that is allowed; any other gets the
/// fields of `framing`. `Date` is added where it is missing.
pub fn encode_response<B>(
    response: &Response<B>,
    method: &Method,
    framing: Framing,
    connection: Connection,
    out: &mut BytesMut,
) {
    encode_response_with(response, method, framing, connection, &[], out);
}

/// The same, with encoded fields behind those of the map.
pub(crate) fn encode_response_with<B>(
    response: &Response<B>,
    method: &Method,
    framing: Framing,
    connection: Connection,
    more: &[u8],
    out: &mut BytesMut,
) {
    let (status, headers) = (response.status(), response.headers());
    out.reserve(256 + 32 * headers.len());
    put_status(status, out);
    let states_length = (*method == Method::HEAD || status == StatusCode::NOT_MODIFIED)
        && headers.get_all(header::CONTENT_LENGTH).iter().count() == 1;
    put_headers(headers, response.extensions().get(), framing, states_length, out);
    out.extend_from_slice(more);
    if !has_no_body(method, status) {
        put_framing(framing, out);
    }
    match connection {
        Connection::Close if !says_close(headers) => put_field(out, b"connection", b"close"),
        Connection::KeepAlive => put_field(out, b"connection", b"keep-alive"),
        _ => {}
    }
    if !headers.contains_key(header::DATE) {
        date::put(out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes an interim answer (RFC 9110 section 15.2).
pub(crate) fn encode_interim(status: StatusCode, headers: &HeaderMap, out: &mut BytesMut) {
    put_status(status, out);
    put_headers(headers, None, Framing::None, false, out);
    out.extend_from_slice(b"\r\n");
}

fn put_status(status: StatusCode, out: &mut BytesMut) {
    if status == StatusCode::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.extend_from_slice(b" ");
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn put_headers(
    headers: &HeaderMap,
    spelling: Option<&Spelling>,
    framing: Framing,
    states_length: bool,
    out: &mut BytesMut,
) {
    let is_wanted = |name: &HeaderName| match *name {
        header::CONTENT_LENGTH => states_length,
        header::TRANSFER_ENCODING => false,
        // What cannot follow is not announced.
        header::TRAILER => framing == Framing::Chunked,
        _ => true,
    };
    if let Some(spelling) = spelling {
        put_spelled(headers, spelling, is_wanted, out);
        return;
    }
    for (name, value) in headers.iter().filter(|(name, _)| is_wanted(name)) {
        put_field(out, name.as_str().as_bytes(), value.as_bytes());
    }
}

fn put_framing(framing: Framing, out: &mut BytesMut) {
    match framing {
        Framing::None => put_length(0, out),
        Framing::Length(length) => put_length(length, out),
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::UntilClose => {}
    }
}

fn put_length(length: u64, out: &mut BytesMut) {
    put_field(out, b"content-length", itoa::Buffer::new().format(length).as_bytes());
}

/// Whether a head says that its message is the last of the connection.
pub(crate) fn says_close(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONNECTION).iter().any(|value| {
        let mut options = value.as_bytes().split(|&byte| byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
    })
}
