//! What a configuration says about a rate limit.

use std::num::NonZeroU32;

use portway_plugin::value::{ErrorStatus, Rate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::KeySpec;

/// How often each client, consumer and so on may ask:
///
/// ```yaml
/// rate-limit: {limits: [10/1s, 500/1h], by: {header: X-Api-Key}}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct RateLimitSpec {
    /// How many requests in how long: `100/1m`. With several, a request must pass all of them, and
    /// counts in none when one refuses it. 1 to 8, each with a window of its own.
    pub limits: Vec<Rate>,
    /// How requests are counted. Default `gcra`.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// What requests are counted by. By `consumer`, the `rate_limits` of a consumer take the place
    /// of `limits`.
    #[serde(flatten)]
    pub key: KeySpec,
    /// The header fields that tell a client where it stands. Default `draft`.
    #[serde(default)]
    pub headers: Headers,
    /// The status of a refusal, 400 to 599. Default 429.
    #[serde(default = "too_many_requests")]
    pub status: ErrorStatus,
    /// How many keys are counted at once, at about 64 bytes each by `gcra` and up to 500 by
    /// `sliding_window`, for each limit. With more, those that have their whole quota are
    /// forgotten first, then those that will have it soonest. 1 to 10000000, default 100000.
    #[serde(default = "max_keys")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_keys: NonZeroU32,
}

/// How requests are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// The generic cell rate algorithm: a quota that fills evenly. `10/1s` lets 10 pass at once,
    /// then one every 100 ms.
    #[default]
    Gcra,
    /// No stretch of time as long as the window, wherever it begins, has more requests than the
    /// limit. Requests less than a sixteenth of the window apart may be forgotten together, with
    /// the last of them.
    SlidingWindow,
}

/// The header fields that tell a client where it stands. A refusal has `Retry-After` in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Headers {
    /// `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers has them.
    #[default]
    Draft,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`, of the limit that is
    /// nearest to refusing. `X-RateLimit-Reset` is in seconds from now.
    Legacy,
    /// Both of these.
    Both,
    /// Neither.
    None,
}

fn too_many_requests() -> ErrorStatus {
    ErrorStatus::TOO_MANY_REQUESTS
}

fn max_keys() -> NonZeroU32 {
    NonZeroU32::new(100_000).unwrap_or(NonZeroU32::MIN)
}
