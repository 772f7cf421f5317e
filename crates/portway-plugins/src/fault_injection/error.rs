//! The failure.

use http::StatusCode;
use portway_plugin::{Error, Side};

/// The request was chosen to fail.
#[derive(Debug)]
pub(super) struct FaultInjected(pub(super) StatusCode);

impl From<FaultInjected> for Error {
    fn from(FaultInjected(status): FaultInjected) -> Self {
        // The client did nothing wrong, whatever the status says.
        Self::new(Side::Gateway, status, "fault_injected", "this request was chosen to fail")
    }
}
