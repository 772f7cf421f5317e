//! An answer as it stood on the wire.

use std::borrow::Cow;
use std::io;

use bytes::Bytes;

use crate::wire::{Fields, Framing, split_head};

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawHead {
    /// `HTTP/1.1`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// The words behind the status code.
    pub reason: String,
    /// The header fields.
    pub headers: Fields,
    /// All of it, byte for byte, with the blank line.
    pub raw: Bytes,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawResponse {
    /// `HTTP/1.1`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// The words behind the status code.
    pub reason: String,
    /// The header fields.
    pub headers: Fields,
    /// The body, without its framing.
    pub body: Bytes,
    /// The trailer fields.
    pub trailers: Fields,
    /// What marked the end of the body.
    pub framing: Framing,
    /// The 1xx heads that came before this answer.
    pub interim: Vec<RawHead>,
}

impl RawHead {
    pub(super) fn parse(raw: Bytes) -> io::Result<Self> {
        let (line, headers) = split_head(&String::from_utf8_lossy(&raw))?;
        let mut words = line.splitn(3, ' ');
        let version = words.next().unwrap_or_default().to_owned();
        let status = words.next().and_then(|status| status.parse().ok());
        let Some(status) = status.filter(|_| version.starts_with("HTTP/")) else {
            let text = format!("not a status line: {line:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        };
        let reason = words.next().unwrap_or_default().to_owned();
        Ok(Self { version, status, reason, headers, raw })
    }

    /// Whether it comes before the answer. A 101 is the answer.
    pub(super) fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }
}

impl RawResponse {
    pub(super) fn new(
        head: RawHead,
        (body, trailers): (Bytes, Fields),
        framing: Framing,
        interim: Vec<RawHead>,
    ) -> Self {
        let RawHead { version, status, reason, headers, .. } = head;
        Self { version, status, reason, headers, body, trailers, framing, interim }
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}
