//! Consumers: who may ask, and how they show who they are.

use portway_plugin::value::{Name, Rate, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Meta;

/// Somebody who uses the gateway's services.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Consumer {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// What other systems call them. Sent on as `X-Consumer-Custom-ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// The groups they belong to. Sent on as `X-Consumer-Groups`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Name>,
    /// How often they may ask, in place of what a `rate-limit` by consumer says: `100/1m`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<Rate>,
    /// Keys for `key-auth`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Secret>")]
    pub keys: Vec<String>,
    /// Names and passwords for `basic-auth`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<Password>,
    /// Keys for the tokens of `jwt`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jwt: Vec<JwtKey>,
    /// Secrets for the signatures of `hmac-auth`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hmac: Vec<HmacSecret>,
}

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Password {
    /// The user name. Without it, the consumer's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The hash of the password: argon2 (`$argon2id$…`) or bcrypt (`$2b$…`). A password that is not
    /// hashed is refused.
    #[schemars(with = "Secret")]
    pub hash: String,
}

/// A key for tokens that name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct JwtKey {
    /// What tokens call it: their `kid`, or their `iss`.
    pub id: String,
    /// The one algorithm it is good for: HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384,
    /// PS512, ES256, ES384, `EdDSA`.
    pub algorithm: String,
    /// The shared secret, for HS256 to HS512.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Secret>")]
    pub secret: Option<String>,
    /// The public key in PEM, for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// A shared secret for signatures.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct HmacSecret {
    /// What signatures call it (`keyId`, `keyid`).
    pub id: String,
    /// The secret.
    #[schemars(with = "Secret")]
    pub secret: String,
}
