//! What a configuration says about it.

use portway_plugin::value::{ByteSize, Duration, FieldValue};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::identity::{IdentitySpec, realm, yes};

/// Lets consumers in who sign their requests with one of their `hmac` secrets. Others get 401.
///
/// ```yaml
/// hmac-auth: {required: ["@method", "@target-uri", "x-tenant"]}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct HmacAuthSpec {
    /// The form of signatures.
    #[serde(default)]
    pub mode: HmacMode,
    /// What a signature must cover: parts of the request such as `@path`, and header fields.
    /// `@target-uri` covers `@scheme`, `@authority`, `@path` and `@query`; `@request-target` covers
    /// the latter two. Without it: `@method`, `@authority`, `@path` and `@query`; in the mode
    /// `draft`, `(request-target)` and `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<Vec<String>>,
    /// How old a signature may be, by its `created` or, in the mode `draft`, by `Date`.
    #[serde(default = "max_age")]
    pub max_age: Duration,
    /// How far the clocks of clients may be off.
    #[serde(default = "leeway")]
    pub leeway: Duration,
    /// Whether a request with a body must bring a signed digest of it: `Content-Digest` (RFC 9530),
    /// or `Digest` in the mode `draft`. Without it, the body may be changed on the way. A digest
    /// that is signed is checked in any case.
    #[serde(default = "yes")]
    pub require_digest: bool,
    /// The largest body whose digest is checked, for which it is read into memory. Larger ones get
    /// 413.
    #[serde(default = "max_body")]
    pub max_body: ByteSize,
    /// What clients that are refused are told they need a signature for.
    #[serde(default = "realm")]
    pub realm: FieldValue,
    /// What all plugins share that find out who asks.
    #[serde(flatten)]
    pub identity: IdentitySpec,
}

/// The form of signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HmacMode {
    /// `Signature-Input` and `Signature` (RFC 9421), with `hmac-sha256`.
    #[default]
    Standard,
    /// `Authorization: Signature keyId="…"`, or the same in `Signature`
    /// (draft-cavage-http-signatures), with `hmac-sha256`.
    Draft,
}

fn max_age() -> Duration {
    Duration::from_secs(300)
}

fn leeway() -> Duration {
    Duration::from_secs(30)
}

fn max_body() -> ByteSize {
    ByteSize::mib(1)
}
