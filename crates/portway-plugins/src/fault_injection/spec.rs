//! What a configuration says about faults.

use portway_plugin::value::{Duration, ErrorStatus, Percent};
use schemars::JsonSchema;
use serde::Deserialize;

/// Delays and failures on purpose:
///
/// ```yaml
/// fault-injection: {delay: 2s, delay_percent: 10, abort: 503, abort_percent: 0.5}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct FaultInjectionSpec {
    /// How long a request has to wait before it is sent on or fails: `2s`. Without it, none waits.
    #[serde(default)]
    pub delay: Duration,
    /// How many of a hundred requests have to wait, 0 to 100. Default 100.
    #[serde(default = "all")]
    pub delay_percent: Percent,
    /// The status a request fails with instead of being sent on, 400 to 599. Without it, none
    /// fails.
    #[serde(default)]
    pub abort: Option<ErrorStatus>,
    /// How many of a hundred requests fail, 0 to 100. Default 100.
    #[serde(default = "all")]
    pub abort_percent: Percent,
    /// The plain text a failing request is answered with. Without it, the gateway's own error in
    /// the form the client accepts, with the code `fault_injected`.
    #[serde(default)]
    pub body: Option<String>,
}

fn all() -> Percent {
    Percent::ALL
}
