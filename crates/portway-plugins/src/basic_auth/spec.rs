//! What a configuration says about it.

use portway_plugin::value::{Duration, FieldValue};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::identity::{IdentitySpec, realm};

/// Lets consumers in who send one of their `passwords`. Others get 401. When more passwords come
/// than can be hashed, they get 429.
///
/// ```yaml
/// basic-auth: {realm: the back office}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct BasicAuthSpec {
    /// What browsers show when they ask for a name and a password.
    #[serde(default = "realm")]
    pub realm: FieldValue,
    /// How long a pair that was right is taken again without hashing it. `0` hashes every time.
    #[serde(default = "cache")]
    pub cache: Duration,
    /// What all plugins share that find out who asks.
    #[serde(flatten)]
    pub identity: IdentitySpec,
}

fn cache() -> Duration {
    Duration::from_secs(60)
}
