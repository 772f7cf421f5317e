//! The admin API: where it listens and who may use it.

use std::collections::BTreeMap;

use portway_plugin::{
    credential::JwtKeySpec,
    value::{BindAddr, Cidr, Duration, HostPattern, NamespaceScope, OriginPattern},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ListenerTls, LogOutput};

/// The admin API, on a listener of its own. Without `admin` in the configuration there is none;
/// where it is written, even as `admin: {}`, there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Admin {
    /// `false` opens no such listener.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The address it is served on.
    #[serde(default = "bind")]
    pub bind: BindAddr,
    /// How TLS is ended. Without it, none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// Who may use it.
    #[serde(default)]
    pub access: Access,
    /// Where a line of JSON goes for each change somebody asked for: `stdout`, `stderr` or the
    /// path of a file. Without it, they go to the process log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_log: Option<LogOutput>,
}

impl Default for Admin {
    fn default() -> Self {
        Self { enabled: false, bind: bind(), tls: None, access: Access::default(), audit_log: None }
    }
}

/// Who may use the admin API. API tokens are always taken; they are made by the API itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Access {
    /// Whether people have to show who they are.
    pub authentication: Authentication,
    /// The addresses clients may come from, as addresses or CIDR blocks. Without any, all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Cidr>,
    /// Peers whose `X-Forwarded-For` is believed, as addresses or CIDR blocks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<Cidr>,
    /// How many trusted proxies a request passes: the client is the address so many places from
    /// the right in `X-Forwarded-For`, all its lines and commas counted. `0` takes the last
    /// address that is not itself a trusted proxy's.
    #[schemars(range(min = 0, max = 16))]
    pub forwarded_depth: u16,
    /// The hosts clients may ask for, besides `localhost`, loopback addresses and the address the
    /// API is bound to. It keeps pages from elsewhere out that have made their name point here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<HostPattern>,
    /// The origins whose pages may use the API from a browser, besides its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_origins: Vec<OriginPattern>,
    /// People with a password.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub basic: Vec<AdminPassword>,
    /// People with a signed token of somebody else's, such as an identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<AdminJwt>,
    /// People with a client certificate. The first line that fits counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<AdminCertificate>,
}

/// Whether people have to show who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// They have to (the default).
    #[default]
    Required,
    /// Whoever reaches the address may do everything. Only for loopback addresses.
    None,
}

/// What somebody may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at everything but tokens, the audit log and backups.
    Viewer,
    /// Also changes resources of their namespaces.
    Editor,
    /// Everything.
    Admin,
}

impl Role {
    /// The word in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

/// Somebody with a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct AdminPassword {
    /// The user name.
    pub username: String,
    /// The hash of the password: argon2 (`$argon2id$…`) or bcrypt (`$2b$…`), as `portway hash`
    /// makes it. A password that is not hashed is refused.
    pub hash: String,
    /// What they may do.
    pub role: Role,
    /// In which namespaces.
    #[serde(default = "everywhere")]
    pub namespaces: Vec<NamespaceScope>,
}

/// Signed tokens that are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdminJwt {
    /// Keys, each for one algorithm.
    pub keys: Vec<JwtKeySpec>,
    /// Who may have issued the token (`iss`): any of these. Left out, it is not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
    /// Whom the token must be for (`aud`): any of these. It has to be said, because a token that
    /// was issued for another service must not rule this one.
    pub audiences: Vec<String>,
    /// How far the clocks of issuers may be off when `exp` and `nbf` are looked at.
    #[serde(default = "leeway")]
    pub leeway: Duration,
    /// The claim that says who asks.
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// The claim that says what they may do. A name with dots leads into objects:
    /// `realm_access.roles`. Of several values the one counts that allows most.
    #[serde(default = "role_claim")]
    pub role_claim: String,
    /// What the values of that claim stand for. Without any, `viewer`, `editor` and `admin` stand
    /// for themselves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
    /// The claim that lists their namespaces. Left out, they are all. A token without the claim
    /// has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces_claim: Option<String>,
}

/// Whoever shows a certificate that fits. Everything that is said has to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct AdminCertificate {
    /// The subject as RFC 4514 writes it: `CN=alice,O=Example`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// A DNS name among its alternative names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<HostPattern>,
    /// A URI among its alternative names. A star at the end stands for anything:
    /// `spiffe://example.org/ops/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The SHA-256 of the certificate, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What they may do.
    pub role: Role,
    /// In which namespaces.
    #[serde(default = "everywhere")]
    pub namespaces: Vec<NamespaceScope>,
}

fn bind() -> BindAddr {
    BindAddr::localhost(9080)
}

fn everywhere() -> Vec<NamespaceScope> {
    vec![NamespaceScope::All]
}

fn leeway() -> Duration {
    Duration::from_secs(10)
}

fn name_claim() -> String {
    "sub".to_owned()
}

fn role_claim() -> String {
    "role".to_owned()
}

const fn yes() -> bool {
    true
}
