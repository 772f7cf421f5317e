//! The one envelope for everything that goes wrong on the request path.

use std::{borrow::Cow, error::Error as StdError, fmt};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// The outcome of a step on the request path.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client asked for something it should not have.
    Client,
    /// The upstream, or the way to it, failed.
    Upstream,
    /// The gateway itself failed.
    Gateway,
}

impl Side {
    /// The word in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Gateway => "gateway",
        }
    }
}

/// A failure on the request path: whose fault, which status, a stable code, what the client may
/// read, what only the log may, and whether the request may be sent again.
///
/// The text of [`fmt::Display`] is the public message; the cause stays in
/// [`source`](StdError::source).
pub struct Error(Box<Inner>);

struct Inner {
    side: Side,
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    headers: HeaderMap,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    unseen: bool,
}

impl Error {
    /// A failure with its public face.
    pub fn new(
        side: Side,
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (headers, cause) = (HeaderMap::new(), None);
        Self(Box::new(Inner {
            side,
            status,
            code,
            message: message.into(),
            headers,
            cause,
            unseen: false,
        }))
    }

    /// A failure of the client.
    pub fn client(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Side::Client, status, code, message)
    }

    /// A failure of the upstream.
    pub fn upstream(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Side::Upstream, status, code, message)
    }

    /// A failure of the gateway: 500, with a code that says where.
    pub fn gateway(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Side::Gateway, StatusCode::INTERNAL_SERVER_ERROR, code, message)
    }

    /// Keeps what led to it, for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Says that no byte of the request can have been seen by anybody, so that it may be sent
    /// again whatever its method (RFC 9110 section 9.2.2).
    #[must_use]
    pub fn unseen(mut self) -> Self {
        self.0.unseen = true;
        self
    }

    /// Adds a header field to the answer, such as `Allow`.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    /// Says that the client's connection is not to be used again: where the request ends is in
    /// doubt, or nobody wants to read to its end.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.0.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        self
    }

    /// Whose fault it was.
    #[must_use]
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// The status the client gets.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code, such as `upstream_connect`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What the client may read.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The header fields of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The header fields of the answer, to change.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.0.headers
    }

    /// Whether the request may be sent again whatever its method.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.0.unseen
    }

    /// The causes in one line, outermost first, for the log. Empty without a cause.
    #[must_use]
    pub fn cause(&self) -> String {
        let mut text = String::new();
        let mut next = self.source();
        while let Some(cause) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("side", &self.0.side)
            .field("status", &self.0.status)
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("cause", &self.0.cause)
            .field("unseen", &self.0.unseen)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_kept_from_the_public_text() {
        let error = Error::upstream(StatusCode::BAD_GATEWAY, "upstream_connect", "no connection")
            .because(std::io::Error::other("10.0.0.1 refused"))
            .unseen();
        assert_eq!(error.to_string(), "no connection");
        assert_eq!(error.cause(), "10.0.0.1 refused");
        assert!(error.is_unseen());
        assert_eq!(error.side().as_str(), "upstream");
    }
}
