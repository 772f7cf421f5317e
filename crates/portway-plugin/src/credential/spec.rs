//! Keys as configuration writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Algorithm;
use crate::value::Secret;

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct JwtKeySpec {
    /// What tokens call it (`kid`). Without it, it is tried for tokens of its algorithm whatever
    /// they call their key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The one algorithm it is good for.
    pub algorithm: Algorithm,
    /// The shared secret, for HS256 to HS512; at least 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// The public key in PEM, for the others. RSA keys have at least 2048 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}
