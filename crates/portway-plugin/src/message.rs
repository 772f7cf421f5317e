//! Requests and answers as plugins see them.

use std::future::Future;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::{Body, Error, Overflow, Result, value::HttpVersion};

/// A request as the chain sees it. Its fields are the client's, without those that concern one
/// connection only (RFC 9110 section 7.6.1).
pub type Request = http::Request<Body>;
/// An answer as the chain sees it.
pub type Response = http::Response<Body>;

/// The version of HTTP that the upstream is spoken to in for a request that has this among its
/// extensions, in place of what its service says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamVersion(pub HttpVersion);

/// The cookies of a request: names and values, without the quotes around a value (RFC 6265).
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')).filter_map(cookie)
}

/// The name and the value of one `name=value` of a `Cookie` field.
#[must_use]
pub fn cookie(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some((name, quoted.unwrap_or(value)))
}

/// What plugins do with requests beyond what `http` offers.
pub trait RequestExt: Sized {
    /// Another request that says the same. `None` where the body has not been read into memory
    /// and may be read once only.
    fn try_clone(&self) -> Option<Self>;

    /// Reads the body into memory, where it stays for whoever reads it next.
    ///
    /// # Errors
    /// 413 when it is longer than `cap` bytes, and what the client does wrong while it sends.
    fn buffer(&mut self, cap: usize) -> impl Future<Output = Result<Bytes>> + Send;
}

/// What plugins do with answers beyond what `http` offers.
pub trait ResponseExt {
    /// Keeps `guard` until the last byte of the answer has been sent, or nobody wants it any more.
    fn keep(&mut self, guard: impl Send + 'static);

    /// Reads the body into memory, where it stays for whoever reads it next.
    ///
    /// # Errors
    /// 502 when it is longer than `cap` bytes, and what goes wrong while it comes.
    fn buffer(&mut self, cap: usize) -> impl Future<Output = Result<Bytes>> + Send;
}

impl RequestExt for Request {
    fn try_clone(&self) -> Option<Self> {
        let mut clone = Self::new(self.body().try_clone()?);
        self.method().clone_into(clone.method_mut());
        self.uri().clone_into(clone.uri_mut());
        *clone.version_mut() = self.version();
        self.headers().clone_into(clone.headers_mut());
        self.extensions().clone_into(clone.extensions_mut());
        Some(clone)
    }

    async fn buffer(&mut self, cap: usize) -> Result<Bytes> {
        self.body_mut().buffer(cap).await.map_err(|overflow| match overflow {
            Overflow::Failed(error) => error,
            Overflow::TooLong => Error::client(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("the request body is larger than {cap} bytes"),
            )
            .closing(),
        })
    }
}

impl ResponseExt for Response {
    fn keep(&mut self, guard: impl Send + 'static) {
        let body = std::mem::take(self.body_mut());
        *self.body_mut() = body.keep(guard);
    }

    async fn buffer(&mut self, cap: usize) -> Result<Bytes> {
        self.body_mut().buffer(cap).await.map_err(|overflow| match overflow {
            Overflow::Failed(error) => error,
            Overflow::TooLong => Error::upstream(
                StatusCode::BAD_GATEWAY,
                "answer_too_large",
                "the upstream's answer is too large",
            )
            .because(format!("more than {cap} bytes, which a plugin has to read whole")),
        })
    }
}
