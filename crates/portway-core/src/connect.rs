//! Connections that the program makes itself, in the gateway's place: by a resolver of its own,
//! through a proxy, under TLS of its own, inside the process.
//!
//! It is asked when a connection is made, never for a request that finds one; where nobody has
//! registered a [`Connect`] nothing is paid.

use std::{
    collections::BTreeMap, error::Error, fmt, net::SocketAddr, path::Path, sync::Arc, time::Instant,
};

use portway_config::value::ServiceUrl;
use portway_plugin::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::socket::Io;

/// Why there is no connection, for the log alone.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Makes connections to the endpoints of services.
///
/// It runs on the thread that serves the request, and must not block. It is given up when its time
/// is over (`timeouts.connect`) or nobody waits any more: then the future is dropped. An error or a
/// panic is a connection that could not be made: the next endpoint is tried, and in the end the
/// request is answered 502 `upstream_connect`.
///
/// A function that gives a future is one, too:
///
/// ```
/// use portway_core::connect::{Connect, Dial};
/// use tokio::net::TcpStream;
///
/// fn all_in_one_place() -> impl Connect {
///     |dial: Dial| async move {
///         // Nobody has to know what `shop.internal` is: the name need not resolve.
///         let stream = TcpStream::connect(("127.0.0.1", dial.port())).await?;
///         Ok(stream.into())
///     }
/// }
/// # let _ = all_in_one_place();
/// ```
pub trait Connect: Send + Sync + 'static {
    /// Makes a connection.
    fn connect(&self, dial: Dial) -> BoxFuture<'_, Result<Connected, Cause>>;
}

impl<F, Fut> Connect for F
where
    F: Fn(Dial) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Connected, Cause>> + Send + 'static,
{
    fn connect(&self, dial: Dial) -> BoxFuture<'_, Result<Connected, Cause>> {
        Box::pin(self(dial))
    }
}

/// Where a connection is wanted.
#[derive(Clone, Debug)]
pub struct Dial {
    pub(crate) target: Arc<Target>,
    pub(crate) alpn: Alpn,
    pub(crate) deadline: Option<Instant>,
}

/// What is the same for all connections to an endpoint.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) service: Box<str>,
    pub(crate) url: ServiceUrl,
    pub(crate) public_only: bool,
}

/// Which HTTP may be agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// None: what passes is bytes.
    Nothing,
    Http1,
    Either,
    Http2,
}

impl Dial {
    /// The name of the service; of one in a namespace, `namespace/name`.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.target.service
    }

    /// The endpoint, as the service has it.
    #[must_use]
    pub fn url(&self) -> &ServiceUrl {
        &self.target.url
    }

    /// The endpoint's host: a name or an address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.target.url.host()
    }

    /// The endpoint's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.target.url.port()
    }

    /// Its address, where the host is one. A name is not resolved: that is the dialler's to do, or
    /// not.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.target.url.ip().map(|ip| SocketAddr::new(ip, self.port()))
    }

    /// The Unix domain socket that the endpoint is.
    #[must_use]
    pub fn unix(&self) -> Option<&Path> {
        self.target.url.unix()
    }

    /// Whether the endpoint speaks TLS: who does not bring it ([`Connected::secured`]) leaves it to
    /// the gateway, which verifies the certificate as the service says.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.target.url.scheme().as_str() == "https"
    }

    /// Whether HTTP/2 may be agreed on.
    #[must_use]
    pub fn may_speak_http2(&self) -> bool {
        matches!(self.alpn, Alpn::Either | Alpn::Http2)
    }

    /// What to offer in a TLS handshake (ALPN, RFC 7301).
    #[must_use]
    pub fn alpn(&self) -> Vec<Vec<u8>> {
        let (h2, http1) = (b"h2".to_vec(), b"http/1.1".to_vec());
        match self.alpn {
            Alpn::Nothing => Vec::new(),
            Alpn::Http1 => vec![http1],
            Alpn::Either => vec![h2, http1],
            Alpn::Http2 => vec![h2],
        }
    }

    /// When nobody waits any more. `None`: the service sets no limit.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the service refuses addresses that are not public (`deny_private_addresses`). What a
    /// name leads to is known to the dialler alone, so it is asked to see to it.
    #[must_use]
    pub fn is_public_only(&self) -> bool {
        self.target.public_only
    }
}

/// A connection that was made.
pub struct Connected {
    pub(crate) stream: Box<dyn Io>,
    pub(crate) http2: bool,
    pub(crate) secured: bool,
}

impl Connected {
    /// This stream: HTTP/1.1, without TLS so far.
    #[must_use]
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { stream: Box::new(stream), http2: false, secured: false }
    }

    /// Says that it is under TLS already. The gateway does nothing more for an `https://` endpoint,
    /// and relies on whoever has made it to know who is at the other end.
    #[must_use]
    pub fn secured(self) -> Self {
        Self { secured: true, ..self }
    }

    /// Says whether HTTP/2 was agreed on. To an `h2c://` endpoint it is spoken anyway.
    #[must_use]
    pub fn http2(self, agreed: bool) -> Self {
        Self { http2: agreed, ..self }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> From<S> for Connected {
    fn from(stream: S) -> Self {
        Self::new(stream)
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("http2", &self.http2)
            .field("secured", &self.secured)
            .finish_non_exhaustive()
    }
}

/// Who dials for which services.
#[derive(Clone, Default)]
pub struct Connectors {
    all: Option<Arc<dyn Connect>>,
    of: BTreeMap<String, Arc<dyn Connect>>,
}

impl Connectors {
    /// Dials for all services that have no dialler of their own.
    pub fn for_all(&mut self, connect: impl Connect) {
        self.all = Some(Arc::new(connect));
    }

    /// Dials for the service of this name; of one in a namespace, `namespace/name`.
    pub fn for_service(&mut self, service: impl Into<String>, connect: impl Connect) {
        self.of.insert(service.into(), Arc::new(connect));
    }

    /// Whoever dials for the service `like` dials for `service`, too.
    pub fn same_for(&mut self, service: impl Into<String>, like: &str) {
        if let Some(connect) = self.of.get(like) {
            self.of.insert(service.into(), Arc::clone(connect));
        }
    }

    /// Who dials for a service.
    pub(crate) fn of(&self, service: &str) -> Option<&Arc<dyn Connect>> {
        self.of.get(service).or(self.all.as_ref())
    }

    /// The services that have a dialler of their own.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.of.keys().map(String::as_str)
    }
}

impl fmt::Debug for Connectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connectors")
            .field("all", &self.all.is_some())
            .field("of", &self.of.keys())
            .finish()
    }
}
