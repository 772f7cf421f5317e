//! The handshake with a client.

use std::{fmt, io};

use rustls::server::Acceptor;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;

use super::{TlsFacts, TlsPlan};
use crate::{
    layer4::unrecognized_name,
    socket::{Prefixed, Stream, Wire},
};

/// Why there is no connection under TLS.
#[derive(Debug)]
pub(crate) enum HandshakeError {
    /// Too many are under way.
    Busy,
    /// It took too long.
    TimedOut,
    /// The client asked for a name that nobody has here.
    UnknownName(Option<Box<str>>),
    /// What came is not TLS.
    NotTls,
    /// The client left without a word.
    Left,
    /// The two do not agree, or one is not who the other wants.
    Failed(io::Error),
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("too many handshakes are under way"),
            Self::TimedOut => f.write_str("the handshake took too long"),
            Self::UnknownName(Some(name)) => write!(f, "nobody is called {name} here"),
            Self::UnknownName(None) => f.write_str("the client asks for no name"),
            Self::NotTls => f.write_str("what came is not TLS"),
            Self::Left => f.write_str("the client left without a word"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// Shakes hands over `stream`, of which some may have been read already. `allowed` says whether a
/// name may be asked for at all.
pub(crate) async fn handshake(
    stream: Prefixed<Stream>,
    plan: &TlsPlan,
    allowed: impl Fn(Option<&str>) -> bool + Send,
) -> Result<(Wire, TlsFacts), HandshakeError> {
    let _pending = plan.begin().ok_or(HandshakeError::Busy)?;
    let work = shake(stream, plan, allowed);
    match plan.timeout {
        Some(limit) => timeout(limit, work).await.unwrap_or(Err(HandshakeError::TimedOut)),
        None => work.await,
    }
}

async fn shake(
    stream: Prefixed<Stream>,
    plan: &TlsPlan,
    allowed: impl Fn(Option<&str>) -> bool + Send,
) -> Result<(Wire, TlsFacts), HandshakeError> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(unreadable)?;
    let name = start.client_hello().server_name().map(Box::<str>::from);
    if !plan.takes(name.as_deref()) || !allowed(name.as_deref()) {
        unrecognized_name(start.io).await;
        return Err(HandshakeError::UnknownName(name));
    }
    let (asked, config) = plan.terms(name.as_deref().unwrap_or_default());
    let stream = start.into_stream(config).await.map_err(HandshakeError::Failed)?;
    let facts = TlsFacts::of(stream.get_ref().1, name.as_deref(), asked);
    Ok((Wire::Tls(Box::new(stream.into())), facts))
}

fn unreadable(error: io::Error) -> HandshakeError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return HandshakeError::Left;
    }
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidMessage(_)) => HandshakeError::NotTls,
        _ => HandshakeError::Failed(error),
    }
}
