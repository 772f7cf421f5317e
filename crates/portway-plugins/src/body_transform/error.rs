//! What goes wrong with bodies.

use http::StatusCode;
use portway_plugin::{Busy, Error};

use crate::header_edit::Side;

/// Why there is no other body.
#[derive(Debug)]
pub(super) enum Flaw {
    /// It says that it is no JSON, or is compressed.
    Type,
    /// It says that it is JSON, and is not.
    Json(serde_json::Error),
    /// A step of the patch does not fit it.
    Patch(json_patch::PatchError),
    /// Too many bodies are being transformed.
    Busy(Busy),
}

impl Flaw {
    /// What the client reads.
    pub(super) fn of(self, side: Side) -> Error {
        if let Self::Busy(busy) = self {
            let message = "the gateway is too busy to transform the body";
            let side = portway_plugin::Side::Gateway;
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Error::new(side, status, "transform_busy", message).because(busy);
        }
        let (status, code, message) = match &self {
            Self::Type => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "body_type", "the request body must be JSON")
            }
            Self::Json(_) => (StatusCode::BAD_REQUEST, "bad_json", "the request body is not JSON"),
            Self::Patch(_) | Self::Busy(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "patch_failed",
                "the request body is not what is expected here",
            ),
        };
        let error = match side {
            Side::Request => Error::client(status, code, message),
            Side::Response => {
                let message = "the upstream's answer is not what is expected here";
                Error::upstream(StatusCode::BAD_GATEWAY, code, message)
            }
        };
        match self {
            Self::Type | Self::Busy(_) => error,
            Self::Json(cause) => error.because(cause),
            Self::Patch(cause) => error.because(cause),
        }
    }
}
