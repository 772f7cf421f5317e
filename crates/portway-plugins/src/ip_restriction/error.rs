//! The refusal.

use http::StatusCode;
use portway_plugin::Error;

/// The address is not one of those that may ask.
#[derive(Debug)]
pub(super) struct AddressDenied;

impl From<AddressDenied> for Error {
    fn from(AddressDenied: AddressDenied) -> Self {
        Self::client(StatusCode::FORBIDDEN, "ip_denied", "requests from this address are refused")
    }
}
