//! The refusal.

use http::{HeaderValue, header};
use portway_plugin::{Error, value::ErrorStatus};

/// As many requests of this key are served as may be.
#[derive(Debug)]
pub(super) struct TooManyAtOnce {
    pub(super) status: ErrorStatus,
}

impl From<TooManyAtOnce> for Error {
    fn from(refused: TooManyAtOnce) -> Self {
        let message = "too many requests at once, try again later";
        // Nobody knows when one of the others ends.
        Self::client(refused.status.get(), "concurrency_limited", message)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }
}
