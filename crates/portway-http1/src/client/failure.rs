//! Exchanges that gave no answer.

use std::{error::Error as StdError, fmt, io};

use crate::error::HeadError;

/// An exchange that gave no answer: why, and how far it came.
#[derive(Debug)]
pub struct Failure<E> {
    /// Why there is no answer.
    pub reason: Reason<E>,
    /// The bytes of the request that the socket took. With none of them the request cannot have
    /// been seen, whatever its method; with one it may have been.
    pub written: u64,
    /// Whether something of the request's body was taken, so that it cannot be sent again.
    pub touched: bool,
}

/// Why an exchange gave no answer. `E` is the error of a request's body.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason<E> {
    /// The upstream closed the connection.
    Closed,
    /// The connection failed.
    Io(io::Error),
    /// What came is not an answer, or not one to this request.
    Malformed(HeadError),
    /// The upstream switches protocols without having been asked, or does not come to a final
    /// answer (RFC 9110 section 15.2).
    Unasked,
    /// The head did not come in time.
    TimedOut,
    /// The request's body failed.
    Upload(E),
    /// The request's body is not as long as it says.
    UploadLength,
}

impl<E> Reason<E> {
    /// Whether the connection ended before an answer came: another one may do better.
    #[must_use]
    pub fn is_hang_up(&self) -> bool {
        matches!(self, Self::Closed | Self::Io(_))
    }
}

impl<E> fmt::Display for Reason<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection was closed before an answer",
            Self::Io(_) => "the connection failed",
            Self::Malformed(_) => "the answer is malformed",
            Self::Unasked => "an answer that was not asked for",
            Self::TimedOut => "no answer in time",
            Self::Upload(_) => "the request body failed",
            Self::UploadLength => "the request body is not as long as it says",
        })
    }
}

impl<E: StdError + 'static> StdError for Reason<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Malformed(error) => Some(error),
            Self::Upload(error) => Some(error),
            _ => None,
        }
    }
}
