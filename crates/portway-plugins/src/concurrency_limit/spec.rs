//! What a configuration says about a concurrency limit.

use std::num::NonZeroU32;

use portway_plugin::value::ErrorStatus;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::keys::KeySpec;

/// How many requests of each client, consumer and so on are served at once:
///
/// ```yaml
/// concurrency-limit: {max: 100, by: route}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ConcurrencyLimitSpec {
    /// How many requests of one key are served at once. At least 1.
    pub max: NonZeroU32,
    /// What requests are counted by.
    #[serde(flatten)]
    pub key: KeySpec,
    /// The status of a refusal, 400 to 599: 503 says that the gateway has too much to do, 429 that
    /// the client asks for too much. Default 503.
    #[serde(default = "unavailable")]
    pub status: ErrorStatus,
}

fn unavailable() -> ErrorStatus {
    ErrorStatus::SERVICE_UNAVAILABLE
}
