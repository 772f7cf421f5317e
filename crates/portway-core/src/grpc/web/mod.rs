//! The bridge for browsers, which cannot read trailers: gRPC-Web on the client's side, gRPC on the
//! upstream's (the specification is gRPC's `PROTOCOL-WEB`).
//!
//! Bytes of messages pass as they come. The end of the call becomes a frame of its own at the end
//! of the body, always there and always the last.

mod request;
mod response;
#[cfg(test)]
mod tests;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use portway_plugin::{Body, Response};

use super::{
    Kind,
    messages::{PREFIX, TRAILERS},
    settle,
    status::{DETAILS, MESSAGE, STATUS, is_answer},
};
use crate::base64;
use request::ToGrpc;
use response::FromGrpc;

/// One call of a browser, on its way to an upstream that speaks gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bridge {
    request: Kind,
    response: Kind,
}

impl Bridge {
    /// Makes the head of a gRPC-Web request one of gRPC. `None`, and nothing is changed, when it is
    /// none. It wants to be called after hop-by-hop fields were taken out: `te` is one.
    pub(crate) fn open(headers: &mut HeaderMap) -> Option<Self> {
        let request = Kind::of(headers).filter(|kind| kind.is_web())?;
        let response = Kind::answering(headers)?;
        let content_type = Kind::Grpc.instead_of(headers.get(header::CONTENT_TYPE));
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        // What browsers accept is no matter of the upstream's, and its body has another length.
        for name in [header::ACCEPT, header::CONTENT_LENGTH] {
            headers.remove(name);
        }
        headers.remove(HeaderName::from_static("x-grpc-web"));
        Some(Self { request, response })
    }

    /// The request's body as gRPC has it. A body that is not messages, or stops within one, fails
    /// with 400.
    pub(crate) fn request(self, body: Body) -> Body {
        Body::stream(ToGrpc::new(body, self.request))
    }

    /// The answer as browsers read it; an answer that is not gRPC's is [`settle`]d.
    pub(crate) fn response(self, response: Response) -> Response {
        if !is_answer(&response) {
            return settle(response, self.response);
        }
        let (mut head, body) = response.into_parts();
        let content_type = self.response.instead_of(head.headers.get(header::CONTENT_TYPE));
        head.headers.insert(header::CONTENT_TYPE, content_type);
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.remove(header::TRAILER);
        let ending = take_ending(&mut head.headers);
        let body = Body::stream(FromGrpc::new(body, self.response, ending));
        Response::from_parts(head, body)
    }
}

/// How the call ended, when its head says it: it was over before there was a message.
fn take_ending(headers: &mut HeaderMap) -> Option<HeaderMap> {
    let status = headers.remove(STATUS)?;
    let mut ending = HeaderMap::with_capacity(3);
    ending.insert(STATUS, status);
    for name in [MESSAGE, DETAILS] {
        if let Some(value) = headers.remove(&name) {
            ending.insert(name, value);
        }
    }
    Some(ending)
}

/// The last frame of a body: the trailers as HTTP/1.1 would write them.
pub(super) fn trailers(ending: &HeaderMap, kind: Kind) -> Bytes {
    const AROUND: usize = ": \r\n".len();
    let lengths = ending.iter().map(|(name, value)| name.as_str().len() + value.len() + AROUND);
    let length: usize = lengths.sum();
    let mut frame = BytesMut::with_capacity(PREFIX + length);
    frame.put_u8(TRAILERS);
    frame.put_u32(u32::try_from(length).expect("trailers are bounded by the wire they came by"));
    for (name, value) in ending {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            frame.put_slice(part);
        }
    }
    match kind {
        Kind::WebText => base64::encode(&frame),
        Kind::Web | Kind::Grpc => frame.freeze(),
    }
}
