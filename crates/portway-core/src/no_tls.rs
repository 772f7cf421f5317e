//! What stands in the place of TLS in a build without it: the same face, and nothing behind it.
#![allow(dead_code, reason = "its face is that of the room `tls`, whoever looks at it")]

use std::{
    convert::Infallible,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::HeaderValue;
use portway_config::{
    CertificatePart, Checked, ClientCertificates, Config, Problem, Service, value::ServiceUrl,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    route::Certificate,
    socket::{Own, Prefixed, Stream, Wire},
    telemetry::access::Tls,
};

/// It is no part of this build.
pub(crate) const IS_SPOKEN: bool = false;

/// There are none.
pub(crate) type UpstreamName = Infallible;

/// There are none.
#[derive(Debug)]
pub(crate) struct Secured(Infallible);

pub(crate) fn carrier(secured: &Secured) -> &Stream {
    match secured.0 {}
}

/// What listeners and services have instead: nothing each.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) listeners: Vec<Option<Arc<TlsPlan>>>,
    pub(crate) services: Vec<Option<Client>>,
    pub(crate) warnings: Vec<Problem>,
}

/// Whoever asks for TLS has been refused before.
#[allow(clippy::unnecessary_wraps, reason = "the room `tls` may refuse")]
pub(crate) fn prepare(
    config: &Checked<Config>,
    _: Option<(&Config, &Prepared)>,
) -> Result<Prepared, Vec<Problem>> {
    let listeners = config.listeners.iter().map(|_| None).collect();
    let services = config.services.iter().map(|_| None).collect();
    Ok(Prepared { listeners, services, warnings: Vec::new() })
}

/// There are none.
#[derive(Clone, Debug)]
pub(crate) struct Client(Infallible);

/// Nobody reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    OfService,
    Http1,
    Http2,
}

/// The gateway asks nobody over TLS.
pub(crate) fn outbound(_: &Service) -> Option<Client> {
    None
}

impl Client {
    pub(crate) fn name_of(&self, _: &ServiceUrl) -> Option<UpstreamName> {
        match self.0 {}
    }

    pub(crate) async fn connect(
        &self,
        _: Stream,
        _: UpstreamName,
        _: Offer,
    ) -> io::Result<(Wire, bool)> {
        match self.0 {}
    }

    pub(crate) async fn connect_over(
        &self,
        _: Own,
        _: UpstreamName,
        _: Offer,
    ) -> io::Result<(Wire, bool)> {
        match self.0 {}
    }
}

/// There are none.
#[derive(Debug)]
pub(crate) struct TlsPlan {
    pub(crate) accept_plain: bool,
    pub(crate) timeout: Option<Duration>,
    absent: Infallible,
}

/// There are none.
pub(crate) struct Expiry {
    pub(crate) name: Box<str>,
    pub(crate) not_after: i64,
    absent: Infallible,
}

impl TlsPlan {
    pub(crate) fn allows(&self, _: &Arc<ClientCertificates>, _: &str) -> bool {
        match self.absent {}
    }

    pub(crate) fn expiries(&self) -> impl Iterator<Item = &Expiry> {
        std::iter::empty()
    }
}

/// There are none.
#[derive(Clone, Debug)]
pub(crate) struct TlsFacts {
    pub(crate) sni: Option<Box<str>>,
    pub(crate) version: &'static str,
    pub(crate) cipher: &'static str,
    pub(crate) http2: bool,
    pub(crate) asked: Arc<ClientCertificates>,
    pub(crate) client: Option<Arc<ClientCertificate>>,
    absent: Infallible,
}

impl TlsFacts {
    pub(crate) fn told(&self) -> Tls<'_> {
        match self.absent {}
    }
}

/// There are none.
#[derive(Debug)]
pub(crate) struct ClientCertificate {
    pub(crate) subject: Box<str>,
    pub(crate) fingerprint: Box<str>,
    pub(crate) forwarded: HeaderValue,
    absent: Infallible,
}

impl ClientCertificate {
    pub(crate) fn told(&self) -> portway_plugin::ClientCertificate<'_> {
        match self.absent {}
    }
}

impl Certificate for ClientCertificate {
    fn values(&self, _: CertificatePart) -> &[Box<str>] {
        match self.absent {}
    }
}

/// There are none: nobody shakes hands.
#[derive(Debug)]
pub(crate) enum HandshakeError {
    Busy,
    TimedOut,
    UnknownName(Option<Box<str>>),
    NotTls,
    Left,
    Failed(io::Error),
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

pub(crate) async fn handshake(
    _: Prefixed<Stream>,
    plan: &TlsPlan,
    _: impl Fn(Option<&str>) -> bool + Send,
) -> Result<(Wire, TlsFacts), HandshakeError> {
    match plan.absent {}
}

impl AsyncRead for Secured {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl AsyncWrite for Secured {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
