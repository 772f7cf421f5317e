//! What a configuration says about it.

use std::collections::BTreeMap;

use portway_plugin::{
    credential::{Algorithm, JwtKeySpec},
    value::{Duration, FetchUrl, FieldName, FieldValue, Token},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::identity::{IdentitySpec, realm, yes};

/// Lets those in who send a token that one of the keys has signed. Others get 401. Keys are
/// written here, fetched from an identity provider, or those of consumers.
///
/// ```yaml
/// jwt:
///   jwks: {url: "https://id.example.com/.well-known/jwks.json"}
///   issuers: ["https://id.example.com/"]
///   audiences: [shop]
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct JwtSpec {
    /// Keys, each for one algorithm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<JwtKeySpec>,
    /// Keys that an identity provider publishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwksSpec>,
    /// Whether the keys that consumers have under `jwt` count. A token names the key by its `kid`
    /// or its `iss`, and is the consumer's whatever it claims. Without it, they count where there
    /// are neither `keys` nor `jwks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<bool>,
    /// Who may have issued the token (`iss`): any of these. Left out, it is not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
    /// Whom the token may be for (`aud`): any of these. Left out, it is not looked at; then a token
    /// that was issued for another service is good here too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// How far the clocks of issuers may be off when `exp` and `nbf` are looked at.
    #[serde(default = "leeway")]
    pub leeway: Duration,
    /// Whether a token must say when it expires (`exp`). Without it, one that is stolen is good
    /// until its key changes.
    #[serde(default = "yes")]
    pub require_expiry: bool,
    /// Claims a token must have, each with the values that will do; an empty list stands for any
    /// value. A name with dots leads into objects: `realm_access.roles`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub required_claims: BTreeMap<String, Vec<String>>,
    /// Header fields in which claims are sent to the upstream, each with the claim:
    /// `x-tenant: tenant.id`. Lists are joined by commas. What clients send in these fields is
    /// taken off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims_to_headers: BTreeMap<FieldName, String>,
    /// The claim that says who asks, where the key is not a consumer's own.
    #[serde(default = "consumer_claim")]
    pub consumer_claim: String,
    /// The claim that says to which groups they belong, where the key is not a consumer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// Whether tokens may come as `Authorization: Bearer …`.
    #[serde(default = "yes")]
    pub bearer: bool,
    /// Other header fields a token may come in, bare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header_names: Vec<FieldName>,
    /// Cookies a token may come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookie_names: Vec<Token>,
    /// Parameters of the query a token may come in. Tokens in URLs end up in logs and histories:
    /// use this only for clients that can do nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query_names: Vec<Token>,
    /// How many tokens that were good each core remembers, so that it need not verify them again
    /// until they expire or a key changes. `0` remembers none.
    #[serde(default = "cache")]
    pub cache: u32,
    /// What clients that are refused are told they need a token for.
    #[serde(default = "realm")]
    pub realm: FieldValue,
    /// What all plugins share that find out who asks.
    #[serde(flatten)]
    pub identity: IdentitySpec,
}

/// Keys that are fetched (RFC 7517). Until the first ones are there, tokens that need them get
/// 503; while the server does not answer, the last ones count.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct JwksSpec {
    /// Where they are.
    pub url: FetchUrl,
    /// The algorithms that are taken. A key that names none is good for the first one of its kind.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// How often they are fetched again.
    #[serde(default = "refresh")]
    pub refresh: Duration,
    /// How long to wait after a fetch before a token that names a key nobody knows, or a fetch that
    /// failed, leads to another one.
    #[serde(default = "cooldown")]
    pub cooldown: Duration,
    /// How long a fetch may take.
    #[serde(default = "timeout")]
    pub timeout: Duration,
    /// How long keys are used when they cannot be fetched again. `0` uses them for ever.
    #[serde(default = "max_stale")]
    pub max_stale: Duration,
}

fn leeway() -> Duration {
    Duration::from_secs(10)
}

fn consumer_claim() -> String {
    "sub".to_owned()
}

fn cache() -> u32 {
    1024
}

/// RS256 first: it is what providers mean that do not say.
fn algorithms() -> Vec<Algorithm> {
    use Algorithm as A;
    vec![A::Rs256, A::Rs384, A::Rs512, A::Ps256, A::Ps384, A::Ps512, A::Es256, A::Es384, A::EdDsa]
}

fn refresh() -> Duration {
    Duration::from_secs(600)
}

fn cooldown() -> Duration {
    Duration::from_secs(30)
}

fn timeout() -> Duration {
    Duration::from_secs(5)
}

fn max_stale() -> Duration {
    Duration::from_secs(24 * 3600)
}
