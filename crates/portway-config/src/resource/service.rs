//! Services: where requests are forwarded to, and how.

use portway_plugin::value::{
    ByteSize, Duration, HostPattern, HostValue, Name, PathPrefix, ServiceUrl, UpgradeProtocol,
    Weight,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attached, Balance, Meta, Route, Socket, UpstreamTls};

/// Something that answers requests, at one address or several.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// The service's only endpoint: `http://host:port`, or with `https`, `h2c` (plain HTTP/2),
    /// `tcp` or `udp`; `unix:/path` is a Unix domain socket. A path is put before every forwarded
    /// path and a query is merged into every forwarded query. Either this or `endpoints`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<ServiceUrl>,
    /// The service's endpoints. Either this or `url`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// How a request chooses among several endpoints.
    #[serde(default)]
    pub balance: Balance,
    /// The hosts the service's routes match unless they name hosts themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostPattern>,
    /// A path put before the paths of the service's routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<PathPrefix>,
    /// How long each stage of an exchange may take. A route may say otherwise.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// The `Host` the upstream sees.
    #[serde(default)]
    pub host: HostPolicy,
    /// Which spelling of the path the upstream sees.
    #[serde(default)]
    pub forward_path: ForwardPath,
    /// `true` forwards requests without their query.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drop_query: bool,
    /// The HTTP/1.1 upgrades that are passed on (RFC 9110 section 7.8). `h2c` never is: it would
    /// tunnel requests past routing.
    #[serde(default = "websocket")]
    pub upgrades: Vec<UpgradeProtocol>,
    /// How idle connections to the endpoints are kept.
    #[serde(default)]
    pub pool: Pool,
    /// What is asked of the kernel for connections to the endpoints.
    #[serde(default, skip_serializing_if = "Socket::is_usual")]
    pub socket: Socket,
    /// How `https://` endpoints are spoken to.
    #[serde(default)]
    pub tls: UpstreamTls,
    /// Whether HTTP/2 is spoken to the endpoints.
    #[serde(default)]
    pub http2: UpstreamHttp2,
    /// Begins each connection with a PROXY protocol header that names the client. Connections
    /// are not shared by requests then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocolVersion>,
    /// `true` takes gRPC-Web from browsers, and speaks gRPC to the endpoints.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grpc_web: bool,
    /// The bytes of an answer's head; more is answered 502.
    #[serde(default = "response_head_bytes")]
    pub max_response_head: ByteSize,
    /// `true` refuses endpoints whose address, once resolved, is private, loopback, link-local or
    /// otherwise not public.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deny_private_addresses: bool,
    /// Plugins for the requests of the service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<Attached>,
    /// Routes of this service. They inherit its hosts and prefix, and forward to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}

impl Service {
    /// A service named `name` with the given endpoints and every default.
    #[must_use]
    pub fn new(name: Name, endpoints: Vec<Endpoint>) -> Self {
        Self {
            meta: Meta::named(name),
            url: None,
            endpoints,
            balance: Balance::default(),
            hosts: Vec::new(),
            prefix: None,
            timeouts: Timeouts::default(),
            host: HostPolicy::default(),
            forward_path: ForwardPath::default(),
            drop_query: false,
            upgrades: websocket(),
            pool: Pool::default(),
            socket: Socket::default(),
            tls: UpstreamTls::default(),
            http2: UpstreamHttp2::default(),
            proxy_protocol: None,
            grpc_web: false,
            max_response_head: response_head_bytes(),
            deny_private_addresses: false,
            plugins: Vec::new(),
            routes: Vec::new(),
        }
    }

    /// The endpoints, however they were written.
    pub fn endpoints(&self) -> impl Iterator<Item = (&ServiceUrl, Weight)> {
        let only = self.url.iter().map(|url| (url, Weight::default()));
        only.chain(self.endpoints.iter().map(|endpoint| (&endpoint.url, endpoint.weight)))
    }
}

/// One address of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// `http://host:port`, or another form that a service's `url` may have.
    pub url: ServiceUrl,
    /// This endpoint's share of the requests, relative to the others. `0` takes none.
    #[serde(default)]
    pub weight: Weight,
    /// Plugins for what is sent to this endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<Attached>,
}

/// Whether HTTP/2 is spoken to a service's endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamHttp2 {
    /// To `https://` endpoints that agree to it (ALPN, RFC 7301), and to `h2c://` (the default).
    #[default]
    Auto,
    /// To none of them.
    Never,
    /// To all of them: without TLS by prior knowledge, and with TLS nothing else is offered.
    Always,
}

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProxyProtocolVersion {
    /// A line of text.
    V1,
    /// The binary form.
    V2,
}

/// How long each stage of an exchange may take. What a route leaves out comes from its service;
/// what the service leaves out has the default given here. `0` is no limit. An expired stage is
/// answered 504, with the stage in the code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Timeouts {
    /// To connect to an endpoint. Default `5s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Duration>,
    /// From the request's last byte to the head of the answer. Default `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_header: Option<Duration>,
    /// For the whole exchange, from the request's head to the answer's last byte. It never applies
    /// to an upgraded connection or an event stream. Off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Duration>,
    /// Without a byte in either direction, once the answer's head has come. Default `5m`, and `30s`
    /// for datagrams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Duration>,
}

impl Timeouts {
    /// The limits of a route with these timeouts whose service has those: the route's, else the
    /// service's, else the defaults.
    #[must_use]
    pub fn stages(&self, service: &Self) -> StageTimeouts {
        let limit = |own: Option<Duration>, inherited: Option<Duration>, default| {
            own.or(inherited).unwrap_or(default).limit()
        };
        let seconds = Duration::from_secs;
        StageTimeouts {
            connect: limit(self.connect, service.connect, seconds(5)),
            response_header: limit(self.response_header, service.response_header, seconds(30)),
            request: limit(self.request, service.request, Duration::ZERO),
            idle: limit(self.idle, service.idle, seconds(300)),
        }
    }
}

/// What [`Timeouts`] come to, with `None` for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StageTimeouts {
    /// To connect to an endpoint.
    pub connect: Option<std::time::Duration>,
    /// From the request's last byte to the head of the answer.
    pub response_header: Option<std::time::Duration>,
    /// For the whole exchange.
    pub request: Option<std::time::Duration>,
    /// Without a byte in either direction.
    pub idle: Option<std::time::Duration>,
}

/// The `Host` the upstream sees: `upstream`, `preserve`, or a name of your own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostPolicy {
    /// The endpoint's own host and port.
    #[default]
    Upstream,
    /// The host the client asked for.
    Preserve,
    /// This host.
    Fixed(Box<HostValue>),
}

/// Which spelling of the path the upstream sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForwardPath {
    /// The normal form that was matched (RFC 3986 section 6.2.2).
    #[default]
    Normal,
    /// The client's own spelling, byte for byte. It cannot be combined with a rewrite.
    Raw,
}

/// How idle connections to an endpoint are kept, per core.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Pool {
    /// The idle connections kept for each endpoint. `0` keeps none.
    pub max_idle: u32,
    /// How long an idle connection is kept.
    pub idle: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self { max_idle: 256, idle: Duration::from_secs(60) }
    }
}

fn websocket() -> Vec<UpgradeProtocol> {
    vec![UpgradeProtocol::websocket()]
}

fn response_head_bytes() -> ByteSize {
    ByteSize::kib(64)
}
