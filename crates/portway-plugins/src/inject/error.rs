//! What goes wrong with webhooks.

use http::StatusCode;
use portway_plugin::{Error, Side};

/// Nobody answered.
pub(super) fn unavailable(cause: Error) -> Error {
    let message = "a service the gateway depends on is not available";
    let (side, status) = (Side::Gateway, StatusCode::SERVICE_UNAVAILABLE);
    Error::new(side, status, "inject_unavailable", message).because(cause)
}

/// The answer cannot be used.
pub(super) fn unusable(reason: impl Into<String>) -> Error {
    let message = "a service the gateway depends on did not answer as it should";
    let (side, status) = (Side::Gateway, StatusCode::BAD_GATEWAY);
    Error::new(side, status, "inject_failed", message).because(reason.into())
}
