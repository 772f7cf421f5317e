//! What those get who read no pages.

use portway_plugin::{Error, Side, value::ErrorStatus};

/// The service is being worked on.
#[derive(Debug)]
pub(super) struct UnderMaintenance {
    pub(super) status: ErrorStatus,
    pub(super) message: String,
}

impl From<UnderMaintenance> for Error {
    fn from(UnderMaintenance { status, message }: UnderMaintenance) -> Self {
        Self::new(Side::Gateway, status.get(), "maintenance", message)
    }
}
