//! What was refused, and why.

use std::{error::Error as StdError, fmt, io};

use http::StatusCode;

/// A message's head that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadError {
    /// A line that does not end with CRLF (RFC 9112 section 2.2).
    LineEnding,
    /// The first line is none of a request or an answer (RFC 9112 sections 3 and 4).
    StartLine,
    /// A target that is not one (RFC 9112 section 3.2).
    Target,
    /// A version this side does not speak (RFC 9110 section 15.6.6).
    Version,
    /// A header line that is none (RFC 9112 section 5).
    Field,
    /// `Host` is missing, doubled or not a host (RFC 9112 section 3.2).
    Host,
    /// `Content-Length` is not one number (RFC 9112 section 6.3).
    ContentLength,
    /// `Transfer-Encoding` is not `chunked` alone (RFC 9112 section 6.1).
    TransferEncoding,
    /// A coding beside `chunked` that this side does not know (RFC 9112 section 6.1).
    UnknownCoding,
    /// Both a length and chunks (RFC 9112 section 6.3).
    TwoFramings,
    /// An expectation nobody knows (RFC 9110 section 10.1.1).
    Expectation,
    /// A longer target than is allowed.
    TargetTooLong,
    /// More header fields than are allowed.
    TooManyFields,
    /// More bytes of header fields than are allowed.
    FieldsTooLarge,
    /// The head did not come in time.
    TimedOut,
}

impl HeadError {
    /// The status a client gets for it. For an upstream's answer it is 502 in every case.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::TooManyFields | Self::FieldsTooLarge => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether it is a matter of size, not of form.
    #[must_use]
    pub fn is_limit(self) -> bool {
        matches!(self, Self::TargetTooLong | Self::TooManyFields | Self::FieldsTooLarge)
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineEnding => "a line does not end with CRLF",
            Self::StartLine => "the first line is malformed",
            Self::Target => "the request target is malformed",
            Self::Version => "the HTTP version is not supported",
            Self::Field => "a header line is malformed",
            Self::Host => "Host is missing, doubled or not a host",
            Self::ContentLength => "Content-Length is not one number",
            Self::TransferEncoding => "Transfer-Encoding is not chunked",
            Self::UnknownCoding => "an unknown transfer coding",
            Self::TwoFramings => "both Content-Length and Transfer-Encoding",
            Self::Expectation => "an unknown expectation",
            Self::TargetTooLong => "the request target is too long",
            Self::TooManyFields => "too many header fields",
            Self::FieldsTooLarge => "the header fields are too large",
            Self::TimedOut => "the head did not come in time",
        })
    }
}

impl StdError for HeadError {}

/// A body that broke off, or that is not one.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// A malformed chunk (RFC 9112 section 7.1).
    Chunk,
    /// A malformed trailer section (RFC 9112 section 7.1.2).
    Trailers,
    /// More chunk extensions or trailers than are allowed.
    TooLarge,
    /// The peer closed the connection before the end (RFC 9112 section 8).
    Incomplete,
    /// Nothing came for too long, or too little.
    TimedOut,
    /// The exchange it belongs to is over.
    Over,
    /// The connection failed.
    Io(io::Error),
}

impl BodyError {
    /// Whether the peer sent what is not HTTP, rather than too little or too late.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Chunk | Self::Trailers | Self::TooLarge)
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chunk => "a chunk is malformed",
            Self::Trailers => "the trailer section is malformed",
            Self::TooLarge => "chunk extensions or trailers are too large",
            Self::Incomplete => "the connection was closed in the middle of a body",
            Self::TimedOut => "the body did not come in time",
            Self::Over => "the exchange is over",
            Self::Io(_) => "the connection failed in the middle of a body",
        })
    }
}

impl StdError for BodyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}
