//! The options that are the same for all of them.

use portway_plugin::value::{FieldValue, Name};
use schemars::JsonSchema;
use serde::Deserialize;

/// What every plugin understands that finds out who asks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct IdentitySpec {
    /// Whether the credentials are taken off the request before it is sent on.
    #[serde(default = "yes")]
    pub hide_credentials: bool,
    /// The name of the consumer that a request without credentials counts as, so that several such
    /// plugins may stand on one way, and any of them may find out who asks. Credentials that are
    /// wrong are refused all the same. Without it, a request without credentials gets 401.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<Name>,
    /// Whether preflight requests of CORS need credentials too. Browsers send none with them.
    #[serde(default)]
    pub run_on_preflight: bool,
}

pub(crate) fn yes() -> bool {
    true
}

/// The realm of those who name none.
pub(crate) fn realm() -> FieldValue {
    "portway".parse().expect("a word is a field value")
}
