//! What a configuration says about it.

use portway_plugin::value::{FieldName, FieldValue, Token};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::identity::{IdentitySpec, realm};

/// Lets consumers in who send one of their `keys`. Others get 401.
///
/// ```yaml
/// key-auth: {key_names: [apikey, x-api-key]}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct KeyAuthSpec {
    /// The header fields a key may come in.
    #[serde(default = "key_names")]
    pub key_names: Vec<FieldName>,
    /// The parameters of the query a key may come in. Keys in URLs end up in logs and histories:
    /// use this only for clients that can do nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query_names: Vec<Token>,
    /// The cookies a key may come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookie_names: Vec<Token>,
    /// Whether a key may come as `Authorization: Bearer …`.
    #[serde(default)]
    pub bearer: bool,
    /// What clients that are refused are told they need a key for.
    #[serde(default = "realm")]
    pub realm: FieldValue,
    /// What all plugins share that find out who asks.
    #[serde(flatten)]
    pub identity: IdentitySpec,
}

fn key_names() -> Vec<FieldName> {
    vec!["apikey".parse().expect("a word is a field name")]
}
