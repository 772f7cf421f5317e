//! What is asked of the programs.

use clap::ValueEnum;

/// One kind of load, or the look at an idle Portway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// GET, an answer of 1 KB
    #[value(name = "get-1k")]
    Get1k,
    /// GET, an answer of 64 KB
    #[value(name = "get-64k")]
    Get64k,
    /// GET, an answer of 10 MB
    #[value(name = "get-10m")]
    Get10m,
    /// GET, an answer of 1 KB, at a pace that leaves time to rest
    #[value(name = "half-load")]
    HalfLoad,
    /// POST of 1 KB, a short answer
    #[value(name = "post-1k")]
    Post1k,
    /// GET over 10 000 routes, an answer of 1 KB
    #[value(name = "routes-10k")]
    Routes10k,
    /// TLS 1.3, HTTP/1.1: GET, an answer of 1 KB
    #[value(name = "tls-1k")]
    Tls1k,
    /// TLS 1.3, HTTP/1.1: GET, an answer of 10 MB
    #[value(name = "tls-10m")]
    Tls10m,
    /// New connections, each with a full handshake of TLS 1.3 and one short request
    #[value(name = "handshake-full")]
    HandshakeFull,
    /// New connections that resume a session of TLS 1.3, each with one short request
    #[value(name = "handshake-resumed")]
    HandshakeResumed,
    /// HTTP/2 over TLS, 100 streams on each of 4 connections: GET, an answer of 1 KB
    #[value(name = "h2-1k")]
    H2Get1k,
    /// gRPC: unary calls with 64 bytes each way, over HTTP/2 on both sides
    #[value(name = "grpc-unary")]
    GrpcUnary,
    /// WebSocket: messages of 64 bytes, echoed on connections that stay
    #[value(name = "websocket")]
    WebSocket,
    /// Header fields added to requests and answers
    #[value(name = "plugin-headers")]
    PluginHeaders,
    /// A rate limit by client that is never reached
    #[value(name = "plugin-rate-limit")]
    PluginRateLimit,
    /// A key that is looked up
    #[value(name = "plugin-key-auth")]
    PluginKeyAuth,
    /// A token that is verified (HS256)
    #[value(name = "plugin-jwt")]
    PluginJwt,
    /// Key, token, rate limit and header fields, one after the other
    #[value(name = "plugin-chain")]
    PluginChain,
    /// GET beside wrong passwords on another route
    #[value(name = "basic-auth-crowd")]
    BasicAuthCrowd,
    /// Memory and start time without traffic
    #[value(name = "idle")]
    Idle,
    /// Instructions per request by callgrind; only when asked for
    #[value(name = "instructions")]
    Instructions,
}

/// What a program has to be configured for. A line of a template that ends with `# only: ` and
/// some of these is left out in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// HTTP/1.1 in the clear.
    Plain,
    /// TLS for clients, with HTTP/2 and HTTP/1.1 on offer; HTTP/1.1 to the upstream.
    Tls,
    /// TLS for clients, HTTP/2 to the upstream.
    Grpc,
    /// HTTP/1.1 in the clear that becomes a WebSocket.
    WebSocket,
    /// As plain, and header fields are added.
    Headers,
    /// As plain, and requests are counted against a limit.
    RateLimit,
    /// As plain, and requests need a key.
    KeyAuth,
    /// As plain, and requests need a token.
    Jwt,
    /// As plain, and all four of these.
    Chain,
    /// As plain, and another route needs a password.
    Crowd,
}

impl Form {
    /// The word in templates.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
            Self::Grpc => "grpc",
            Self::WebSocket => "websocket",
            Self::Headers => "headers",
            Self::RateLimit => "rate-limit",
            Self::KeyAuth => "key-auth",
            Self::Jwt => "jwt",
            Self::Chain => "chain",
            Self::Crowd => "crowd",
        }
    }

    /// Whether lines that are for `name` belong to it. Work on requests is added to what is plain.
    pub(crate) fn has(self, name: &str) -> bool {
        name == self.name() || self.works_on_requests() && name == Self::Plain.name()
    }

    /// Whether something is done with requests besides forwarding them.
    pub(crate) fn works_on_requests(self) -> bool {
        matches!(
            self,
            Self::Headers | Self::RateLimit | Self::KeyAuth | Self::Jwt | Self::Chain | Self::Crowd
        )
    }

    /// Whether clients speak TLS.
    pub(crate) fn secure(self) -> bool {
        matches!(self, Self::Tls | Self::Grpc)
    }
}

/// Who loads the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// wrk with a script of `bench/wrk`.
    Wrk(&'static str),
    /// h2load with GET, or with calls of gRPC.
    H2load { calls: bool },
    /// `bench/ends`: connections that are opened for one request each.
    Handshakes { resumed: bool },
    /// `bench/ends`: messages on connections that stay.
    WebSocket,
}

impl Case {
    /// What is measured when nothing is selected, in the order of the tables.
    pub(crate) const ALL: [Self; 20] = [
        Self::Get1k,
        Self::HalfLoad,
        Self::Get64k,
        Self::Get10m,
        Self::Post1k,
        Self::Routes10k,
        Self::Tls1k,
        Self::Tls10m,
        Self::HandshakeFull,
        Self::HandshakeResumed,
        Self::H2Get1k,
        Self::GrpcUnary,
        Self::WebSocket,
        Self::PluginHeaders,
        Self::PluginRateLimit,
        Self::PluginKeyAuth,
        Self::PluginJwt,
        Self::PluginChain,
        Self::BasicAuthCrowd,
        Self::Idle,
    ];

    /// The name on the command line and in the results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get1k => "get-1k",
            Self::HalfLoad => "half-load",
            Self::Get64k => "get-64k",
            Self::Get10m => "get-10m",
            Self::Post1k => "post-1k",
            Self::Routes10k => "routes-10k",
            Self::Tls1k => "tls-1k",
            Self::Tls10m => "tls-10m",
            Self::HandshakeFull => "handshake-full",
            Self::HandshakeResumed => "handshake-resumed",
            Self::H2Get1k => "h2-1k",
            Self::GrpcUnary => "grpc-unary",
            Self::WebSocket => "websocket",
            Self::PluginHeaders => "plugin-headers",
            Self::PluginRateLimit => "plugin-rate-limit",
            Self::PluginKeyAuth => "plugin-key-auth",
            Self::PluginJwt => "plugin-jwt",
            Self::PluginChain => "plugin-chain",
            Self::BasicAuthCrowd => "basic-auth-crowd",
            Self::Idle => "idle",
            Self::Instructions => "instructions",
        }
    }

    /// The heading of its table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Get1k => "GET, 1 KB answer",
            Self::HalfLoad => "GET, 1 KB answer, at about half load",
            Self::Get64k => "GET, 64 KB answer",
            Self::Get10m => "GET, 10 MB answer",
            Self::Post1k => "POST of 1 KB",
            Self::Routes10k => "GET, 1 KB answer, 1 000 paths spread over 10 000 routes",
            Self::Tls1k => "TLS, GET, 1 KB answer",
            Self::Tls10m => "TLS, GET, 10 MB answer",
            Self::HandshakeFull => "TLS, a new connection with a full handshake and one request",
            Self::HandshakeResumed => {
                "TLS, a new connection with a resumed session and one request"
            }
            Self::H2Get1k => "HTTP/2 over TLS, GET, 1 KB answer",
            Self::GrpcUnary => "gRPC over TLS, unary call, 64 bytes each way",
            Self::WebSocket => "WebSocket, echo of 64 bytes",
            Self::PluginHeaders => "GET, 1 KB answer, two header fields set each way",
            Self::PluginRateLimit => "GET, 1 KB answer, a rate limit by client",
            Self::PluginKeyAuth => "GET, 1 KB answer, a key",
            Self::PluginJwt => "GET, 1 KB answer, a token (HS256)",
            Self::PluginChain => "GET, 1 KB answer: key, token, rate limit and header fields",
            Self::BasicAuthCrowd => {
                "GET, 1 KB answer, at about half load, beside wrong passwords on another route"
            }
            Self::Idle => "Idle",
            Self::Instructions => "Instructions",
        }
    }

    /// What is counted: what a sample's processor time is divided by.
    pub(crate) fn unit(self) -> &'static str {
        match self.load() {
            Load::Wrk(_) | Load::H2load { calls: false } => "request",
            Load::H2load { calls: true } => "call",
            Load::Handshakes { .. } => "connection",
            Load::WebSocket => "message",
        }
    }

    /// What the programs have to be configured for.
    pub(crate) fn form(self) -> Form {
        match self {
            Self::Get1k
            | Self::Get64k
            | Self::Get10m
            | Self::HalfLoad
            | Self::Post1k
            | Self::Routes10k
            | Self::Idle
            | Self::Instructions => Form::Plain,
            Self::Tls1k
            | Self::Tls10m
            | Self::HandshakeFull
            | Self::HandshakeResumed
            | Self::H2Get1k => Form::Tls,
            Self::GrpcUnary => Form::Grpc,
            Self::WebSocket => Form::WebSocket,
            Self::PluginHeaders => Form::Headers,
            Self::PluginRateLimit => Form::RateLimit,
            Self::PluginKeyAuth => Form::KeyAuth,
            Self::PluginJwt => Form::Jwt,
            Self::PluginChain => Form::Chain,
            Self::BasicAuthCrowd => Form::Crowd,
        }
    }

    /// The path to ask for; the scripts that choose paths themselves ignore it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Get1k
            | Self::HalfLoad
            | Self::Routes10k
            | Self::Tls1k
            | Self::H2Get1k
            | Self::PluginHeaders
            | Self::PluginRateLimit
            | Self::PluginKeyAuth
            | Self::PluginJwt
            | Self::PluginChain
            | Self::BasicAuthCrowd
            | Self::Idle
            | Self::Instructions => "/bench/group-0/items/1k",
            Self::Get64k => "/bench/files/items/64k",
            Self::Get10m | Self::Tls10m => "/bench/files/items/10m",
            Self::Post1k | Self::HandshakeFull | Self::HandshakeResumed => "/bench/post/items/1",
            Self::GrpcUnary => "/bench/calls/items/echo",
            Self::WebSocket => "/bench/sockets/items/echo",
        }
    }

    /// Bytes in the body of the answer, or in a message.
    pub(crate) fn body(self) -> u64 {
        match self {
            Self::Get1k
            | Self::HalfLoad
            | Self::Routes10k
            | Self::Tls1k
            | Self::H2Get1k
            | Self::PluginHeaders
            | Self::PluginRateLimit
            | Self::PluginKeyAuth
            | Self::PluginJwt
            | Self::PluginChain
            | Self::BasicAuthCrowd
            | Self::Idle
            | Self::Instructions => 1024,
            Self::Get64k => 64 * 1024,
            Self::Get10m | Self::Tls10m => 10 * 1024 * 1024,
            Self::Post1k | Self::HandshakeFull | Self::HandshakeResumed => 3,
            Self::GrpcUnary => 5 + 64,
            Self::WebSocket => 64,
        }
    }

    /// Whether bytes are counted instead of answers, as few of them are complete in a round.
    pub(crate) fn counts_bytes(self) -> bool {
        matches!(self, Self::Get10m | Self::Tls10m)
    }

    /// Who loads the programs.
    pub(crate) fn load(self) -> Load {
        match self {
            Self::Get1k
            | Self::Get64k
            | Self::Get10m
            | Self::Tls1k
            | Self::Tls10m
            | Self::Idle
            | Self::Instructions => Load::Wrk("get.lua"),
            Self::PluginHeaders
            | Self::PluginRateLimit
            | Self::PluginKeyAuth
            | Self::PluginJwt
            | Self::PluginChain => Load::Wrk("plugins.lua"),
            Self::HalfLoad | Self::BasicAuthCrowd => Load::Wrk("half.lua"),
            Self::Post1k => Load::Wrk("post.lua"),
            Self::Routes10k => Load::Wrk("routes.lua"),
            Self::HandshakeFull => Load::Handshakes { resumed: false },
            Self::HandshakeResumed => Load::Handshakes { resumed: true },
            Self::H2Get1k => Load::H2load { calls: false },
            Self::GrpcUnary => Load::H2load { calls: true },
            Self::WebSocket => Load::WebSocket,
        }
    }
}
