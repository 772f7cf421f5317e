//! The refusal.

use std::time::Duration;

use http::{HeaderValue, header};
use portway_plugin::{Error, value::ErrorStatus};

/// A limit does not let the request pass.
#[derive(Debug)]
pub(super) struct LimitReached {
    pub(super) status: ErrorStatus,
    /// Until it would.
    pub(super) wait: Duration,
}

impl From<LimitReached> for Error {
    fn from(reached: LimitReached) -> Self {
        let message = "too many requests, try again later";
        let wait = HeaderValue::from(seconds(reached.wait).max(1));
        Self::client(reached.status.get(), "rate_limited", message)
            .with_header(header::RETRY_AFTER, wait)
    }
}

/// Whole seconds, at the end of which the time has passed.
pub(super) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
