//! What a server does with a connection before the first byte of HTTP.

use std::io;

use super::Stream;
#[cfg(feature = "tls")]
use crate::deadline::{DEADLINE, within};

/// TLS for accepted connections, or nothing at all.
#[derive(Clone, Default)]
pub(crate) struct Security {
    #[cfg(feature = "tls")]
    acceptor: Option<tokio_rustls::TlsAcceptor>,
}

#[cfg(feature = "tls")]
impl Security {
    pub(crate) fn new(tls: &crate::tls::ServerTls) -> io::Result<Self> {
        Ok(Self { acceptor: Some(tls.acceptor()?) })
    }

    /// Does the handshake. A Unix domain socket needs none.
    pub(crate) async fn secure(&self, stream: Stream) -> io::Result<Stream> {
        match (&self.acceptor, stream) {
            (Some(acceptor), Stream::Tcp(stream)) => {
                let secured = within(DEADLINE, "TLS handshake", acceptor.accept(stream)).await?;
                Ok(Stream::Tls(Box::new(secured.into())))
            }
            (_, stream) => Ok(stream),
        }
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.acceptor.is_some()
    }
}

#[cfg(not(feature = "tls"))]
impl Security {
    pub(crate) fn secure(&self, stream: Stream) -> std::future::Ready<io::Result<Stream>> {
        std::future::ready(Ok(stream))
    }

    pub(crate) fn is_secure(&self) -> bool {
        false
    }
}

impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_secure() { "tls" } else { "none" })
    }
}
