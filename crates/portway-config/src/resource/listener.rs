//! Listeners: where clients connect, what is believed of them, and the limits on them.

use portway_plugin::value::{BindAddr, ByteSize, Cidr, Duration, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Meta;

/// A socket clients connect to. It speaks HTTP/1.1, and HTTP/2 to clients that begin with its
/// preface (prior knowledge).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// The address: `0.0.0.0:8080` is every IPv4 address, `[::]:8080` every IPv6 address, `:8080`
    /// both. Port 0 lets the system choose.
    pub bind: BindAddr,
    /// Peers whose `X-Forwarded-*`, `Forwarded` and `X-Request-Id` headers are believed, as
    /// addresses or CIDR blocks. Headers from anybody else are replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<Cidr>,
    /// Which headers tell the upstream about the client.
    #[serde(default)]
    pub forwarded_headers: ForwardedHeaders,
    /// What happens to a path that two servers could read differently: an encoded slash or
    /// backslash, dot segments that climb above the root, an encoded NUL.
    #[serde(default)]
    pub ambiguous_paths: AmbiguousPaths,
    /// How the names of header fields are written in HTTP/1.1.
    #[serde(default)]
    pub header_case: HeaderCase,
    /// How much a client may ask of the gateway.
    #[serde(default)]
    pub limits: Limits,
    /// The longest time a request may take to arrive, head and body. It never applies to an
    /// upgraded connection or an event stream. `0` is no limit.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub read_timeout: Duration,
    /// The longest time an answer may take to be written, from the end of the request's head. It
    /// never applies to an upgraded connection or an event stream. `0` is no limit.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub write_timeout: Duration,
}

impl Listener {
    /// A listener called `name` on `bind` with every default.
    #[must_use]
    pub fn new(name: Name, bind: BindAddr) -> Self {
        Self {
            meta: Meta::named(name),
            bind,
            trusted_proxies: Vec::new(),
            forwarded_headers: ForwardedHeaders::default(),
            ambiguous_paths: AmbiguousPaths::default(),
            header_case: HeaderCase::default(),
            limits: Limits::default(),
            read_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
        }
    }
}

/// Which headers tell the upstream about the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForwardedHeaders {
    /// `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// Both forms.
    Both,
}

/// What happens to a path that two servers could read differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmbiguousPaths {
    /// Answer 400 (the default).
    #[default]
    Reject,
    /// Match and forward it as it is. Routes must not be relied on to protect such paths.
    Allow,
}

/// How the names of header fields are written in HTTP/1.1. They mean the same in any case and
/// order (RFC 9110 section 5.1); some old programs differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeaderCase {
    /// In lower case, as HTTP/2 has them (the default).
    #[default]
    Lower,
    /// As the sender spelled them, and in its order. Fields of the gateway come last.
    Keep,
}

/// How much a client may ask of the gateway. All of them are on by default but `body`,
/// `connections` and `requests_per_connection`; `0` switches one off.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Limits {
    /// The number of header fields in a request; more is answered 431.
    #[schemars(range(min = 1, max = 1000))]
    pub headers: u16,
    /// The bytes of all header fields of a request together; more is answered 431.
    pub header_bytes: ByteSize,
    /// The bytes of the request target; more is answered 414.
    pub uri: ByteSize,
    /// How long the head of a request may take to arrive.
    pub header_read: Duration,
    /// How long a connection may stay open between two requests.
    pub idle: Duration,
    /// The bytes of a request body; more is answered 413. Off by default.
    pub body: ByteSize,
    /// The slowest a request body may come, in bytes a second: the average over five seconds in
    /// which the client was waited for. A slower one is answered 408.
    pub body_rate: ByteSize,
    /// The connections open at once; more wait in the socket's queue. Off by default.
    pub connections: u32,
    /// The requests served on one connection before it is closed. Off by default.
    pub requests_per_connection: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: 100,
            header_bytes: ByteSize::kib(32),
            uri: ByteSize::kib(16),
            header_read: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            body: ByteSize::ZERO,
            body_rate: ByteSize::bytes(240),
            connections: 0,
            requests_per_connection: 0,
        }
    }
}
