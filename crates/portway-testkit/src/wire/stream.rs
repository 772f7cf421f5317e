//! A connection, whatever it runs over.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::Secured;

/// The address that stands for a Unix domain socket where an IP address is expected.
pub(crate) const NO_ADDR: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

/// A connection over TCP, over a Unix domain socket, or over TLS.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::TlsStream<TcpStream>>),
}

/// Where to connect to, and what to speak below HTTP.
#[derive(Clone)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
    #[cfg(feature = "tls")]
    Tls(SocketAddr, crate::tls::ClientTls),
}

impl Place {
    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(addr) => Ok(Stream::Tcp(connect_tcp(*addr).await?)),
            Self::Unix(path) => Ok(Stream::Unix(UnixStream::connect(Path::new(path)).await?)),
            #[cfg(feature = "tls")]
            Self::Tls(addr, tls) => {
                let stream = tls.connect(connect_tcp(*addr).await?, *addr).await?;
                Ok(Stream::Tls(Box::new(stream.into())))
            }
        }
    }

    /// What stands in `Host` when a test does not say.
    pub(crate) fn host(&self) -> String {
        match self {
            Self::Tcp(addr) => addr.to_string(),
            Self::Unix(_) => "localhost".to_owned(),
            #[cfg(feature = "tls")]
            Self::Tls(addr, tls) => tls.host(*addr),
        }
    }

    /// Whether it is `https`.
    pub(crate) fn is_secure(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Unix(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(..) => true,
        }
    }
}

impl Stream {
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().map_or(Ok(NO_ADDR), TcpStream::local_addr)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().map_or(Ok(NO_ADDR), TcpStream::peer_addr)
    }

    /// What TLS says, if it is TLS.
    pub(crate) fn secured(&self) -> Option<Secured> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => None,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Some(crate::tls::secured(stream)),
        }
    }

    /// Reads what the kernel has, without waiting. Below TLS it is ciphertext, good only to be
    /// thrown away.
    pub(crate) fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.try_read(bytes),
            Self::Tcp(stream) => stream.try_read(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_ref().0.try_read(bytes),
        }
    }

    /// The TCP connection, unless it is a Unix domain socket.
    pub(crate) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Unix(_) => None,
            Self::Tcp(stream) => Some(stream),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Some(stream.get_ref().0),
        }
    }
}

/// Calls a method of whatever is inside.
macro_rules! inside {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Tcp($stream) => $call,
            Stream::Unix($stream) => $call,
            #[cfg(feature = "tls")]
            Stream::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        inside!(self, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        inside!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        inside!(self, stream => Pin::new(stream).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}

async fn connect_tcp(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addr).await?;
    // Without it the kernel would hold back the second of two small writes. It fails only on a
    // connection that is already gone, which the next read or write reports.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
