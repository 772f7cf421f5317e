//! What a configuration says about the size of requests.

use portway_plugin::value::ByteSize;
use schemars::JsonSchema;
use serde::Deserialize;

/// How large the body of a request may be:
///
/// ```yaml
/// request-size-limit: {max: 10MiB}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct RequestSizeLimitSpec {
    /// The largest body, in bytes or with a unit: `64KiB`, `10MB`. A larger one is answered with
    /// 413. `0` switches the limit off. Default 1MiB.
    #[serde(default = "one_mebibyte")]
    pub max: ByteSize,
}

fn one_mebibyte() -> ByteSize {
    ByteSize::mib(1)
}
