//! Listeners: where clients connect, what is believed of them, and the limits on them.

use portway_plugin::value::{ByteSize, Cidr, Duration, HostPattern, ListenAddr, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attached, ListenerTls, Meta, Socket};

/// A socket clients connect to. By default it speaks HTTP/1.1, and HTTP/2 to clients that begin
/// with its preface (prior knowledge) or agree to it over TLS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// The address: `0.0.0.0:8080` is every IPv4 address, `[::]:8080` every IPv6 address, `:8080`
    /// both; `unix:/run/portway.sock` is a Unix domain socket. Port 0 lets the system choose.
    pub bind: ListenAddr,
    /// What is spoken there.
    #[serde(default)]
    pub protocol: ListenerProtocol,
    /// Protocols of the program's own that are spoken here besides HTTP, by name: a connection that
    /// begins as one of them wants is its. They are looked at in this order, before TLS and HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protocols: Vec<Name>,
    /// How TLS is ended. Without it, none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// HTTP/2.
    #[serde(default)]
    pub http2: ListenerHttp2,
    /// Peers that send a PROXY protocol header, version 1 or 2, before anything else: load
    /// balancers that pass TCP on, as addresses or CIDR blocks. From them it is required, and the
    /// client is whom it names; from anybody else it is garbage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxy_protocol: Vec<Cidr>,
    /// Sends clients that come without TLS to `https`, host and path kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_https: Option<RedirectHttps>,
    /// The hosts that may be asked for. Without any, all. A request for another one is answered
    /// 421, or not at all where `strict` says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_domains: Vec<HostPattern>,
    /// `true` closes the connection of a request for a host that is not allowed, without an
    /// answer; over TLS, the handshake is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
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
    /// The connections that the kernel queues for each core until they are accepted. The system has
    /// a limit of its own (`net.core.somaxconn`).
    #[serde(default = "backlog", skip_serializing_if = "is_usual_backlog")]
    #[schemars(range(min = 1, max = 65535))]
    pub backlog: u32,
    /// `false` does not open a port on which connections of a process that has ended still linger.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub reuse_address: bool,
    /// `true` shares the port with another process of the same user that listens there already,
    /// such as an older one that is about to leave. Otherwise that is an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reuse_port: bool,
    /// What is asked of the kernel for the connections of clients.
    #[serde(default, skip_serializing_if = "Socket::is_usual")]
    pub socket: Socket,
    /// Plugins for the requests that come by this listener.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<Attached>,
}

fn backlog() -> u32 {
    1024
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_usual_backlog(backlog: &u32) -> bool {
    *backlog == self::backlog()
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_yes(said: &bool) -> bool {
    *said
}

impl Listener {
    /// A listener called `name` on `bind` with every default.
    #[must_use]
    pub fn new(name: Name, bind: impl Into<ListenAddr>) -> Self {
        Self {
            meta: Meta::named(name),
            bind: bind.into(),
            protocol: ListenerProtocol::default(),
            protocols: Vec::new(),
            tls: None,
            http2: ListenerHttp2::default(),
            proxy_protocol: Vec::new(),
            redirect_https: None,
            allowed_domains: Vec::new(),
            strict: false,
            trusted_proxies: Vec::new(),
            forwarded_headers: ForwardedHeaders::default(),
            ambiguous_paths: AmbiguousPaths::default(),
            header_case: HeaderCase::default(),
            limits: Limits::default(),
            read_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            backlog: backlog(),
            reuse_address: true,
            reuse_port: false,
            socket: Socket::default(),
            plugins: Vec::new(),
        }
    }
}

/// What is spoken on a listener. Routes of the same protocol take what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListenerProtocol {
    /// HTTP, over TLS where `tls` says so (the default).
    #[default]
    Http,
    /// Bytes over TCP, which are passed on.
    Tcp,
    /// TLS that is passed on unopened, by the name the client asks for (SNI).
    Tls,
    /// Datagrams, which are passed on.
    Udp,
    /// HTTP, answered by the admin API. A configuration says `admin` at the top instead.
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    Admin,
}

impl ListenerProtocol {
    /// Whether it is HTTP that is spoken.
    #[must_use]
    pub const fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Admin)
    }

    /// The word in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Udp => "udp",
            Self::Admin => "admin",
        }
    }
}

/// HTTP/2 on a listener (RFC 9113).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListenerHttp2 {
    /// `false` speaks HTTP/1.1 only.
    pub enabled: bool,
    /// The requests one connection may have in flight.
    #[schemars(range(min = 1, max = 10000))]
    pub max_streams: u32,
    /// How often a client that is silent is asked whether it is still there. One that does not
    /// answer within 20 seconds is given up. `0` never asks.
    pub ping_interval: Duration,
}

impl Default for ListenerHttp2 {
    fn default() -> Self {
        Self { enabled: true, max_streams: 128, ping_interval: Duration::from_secs(30) }
    }
}

/// Where clients that come without TLS are sent (308 Permanent Redirect).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RedirectHttps {
    /// For which hosts. Without any, for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostPattern>,
    /// The port, where it is not 443.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
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
    /// How long a connection may stay open between two requests; one of a protocol of the program's
    /// own, without a byte either way.
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
