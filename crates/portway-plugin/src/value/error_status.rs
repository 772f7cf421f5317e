//! The statuses that refuse.

use std::borrow::Cow;

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::text::InvalidValue;

/// The status of an answer that says what went wrong: 400 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct ErrorStatus(StatusCode);

impl ErrorStatus {
    /// 429: this client asks too often.
    pub const TOO_MANY_REQUESTS: Self = Self(StatusCode::TOO_MANY_REQUESTS);
    /// 503: not now.
    pub const SERVICE_UNAVAILABLE: Self = Self(StatusCode::SERVICE_UNAVAILABLE);

    /// The status as the `http` crate knows it.
    #[must_use]
    pub const fn get(self) -> StatusCode {
        self.0
    }
}

impl TryFrom<u16> for ErrorStatus {
    type Error = InvalidValue;

    fn try_from(status: u16) -> Result<Self, InvalidValue> {
        match StatusCode::from_u16(status) {
            Ok(code) if (400..600).contains(&status) => Ok(Self(code)),
            _ => Err(InvalidValue::new(format!("{status} is not the status of an error"))
                .hint("use 400 to 599")),
        }
    }
}

impl From<ErrorStatus> for u16 {
    fn from(status: ErrorStatus) -> Self {
        status.0.as_u16()
    }
}

impl JsonSchema for ErrorStatus {
    fn schema_name() -> Cow<'static, str> {
        "ErrorStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 400, "maximum": 599 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_status_of_one() {
        assert_eq!(ErrorStatus::try_from(429), Ok(ErrorStatus::TOO_MANY_REQUESTS));
        assert_eq!(u16::from(ErrorStatus::SERVICE_UNAVAILABLE), 503);
        for status in [0, 200, 399, 600, 999] {
            assert!(ErrorStatus::try_from(status).is_err(), "{status}");
        }
    }
}
