//! A connection as the kernel has it.

use std::{
    io::{self, IoSlice, Read},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream as StdTcpStream},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::net::UnixStream as StdUnixStream,
    },
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::{TcpStream, UnixStream},
};

/// A connection over TCP or by a Unix domain socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A [`Stream`] that no runtime waits for: on its way from one core to another.
#[derive(Debug)]
pub(crate) enum StdStream {
    Tcp(StdTcpStream),
    Unix(StdUnixStream),
}

impl Stream {
    /// The other end. Who comes by a Unix domain socket is on this machine and has no address:
    /// it counts as 127.0.0.1.
    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr(),
            Self::Unix(_) => Ok(local()),
        }
    }

    /// This end, with the same convention.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.local_addr(),
            Self::Unix(_) => Ok(local()),
        }
    }

    /// Sends what is written at once, unless somebody wants otherwise: heads and small bodies are written whole, and waiting to
    /// fill a segment only adds latency.
    pub(crate) fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(nodelay),
            Self::Unix(_) => Ok(()),
        }
    }

    /// Waits until there is something to read, or an end.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Unix(stream) => stream.readable().await,
        }
    }

    /// Reads what is there without waiting.
    pub(crate) fn try_read_buf(&self, buffer: &mut bytes::BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read_buf(buffer),
            Self::Unix(stream) => stream.try_read_buf(buffer),
        }
    }

    /// Waits until there is room to write, or an end.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Unix(stream) => stream.writable().await,
        }
    }

    /// Reads what is there without waiting. A read that does not fill `buffer` has emptied the
    /// socket, and the next wait is for more: no second call has to find out.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut short = None;
        let mut read = || {
            let read = (&*SockRef::from(self)).read(buffer)?;
            if read == 0 || read == buffer.len() {
                return Ok(read);
            }
            short = Some(read);
            Err(io::ErrorKind::WouldBlock.into())
        };
        let read = match self {
            Self::Tcp(stream) => stream.try_io(Interest::READABLE, &mut read),
            Self::Unix(stream) => stream.try_io(Interest::READABLE, &mut read),
        };
        short.map_or(read, Ok)
    }

    /// Writes what there is room for without waiting.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
        }
    }

    /// Tells the other end that nothing more will be written. That it is gone is no failure.
    pub(crate) fn close_writing(&self) {
        let _ = SockRef::from(self).shutdown(Shutdown::Write);
    }

    /// From now on, dropping it breaks the connection off (RST) instead of ending it, so that the
    /// other end does not take what came so far for the whole.
    pub(crate) fn break_off(&self) {
        if let Self::Tcp(stream) = self {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Resolves when the connection has broken, also while nobody reads from it.
    pub(crate) async fn broken(&self) {
        let ready = match self {
            Self::Tcp(stream) => stream.ready(Interest::ERROR).await,
            Self::Unix(stream) => stream.ready(Interest::ERROR).await,
        };
        // An error means that the runtime ends, and with it this connection.
        let _ = ready;
    }

    /// Takes it off its runtime.
    pub(crate) fn into_std(self) -> io::Result<StdStream> {
        match self {
            Self::Tcp(stream) => stream.into_std().map(StdStream::Tcp),
            Self::Unix(stream) => stream.into_std().map(StdStream::Unix),
        }
    }

    /// The same connection under the lowest descriptor that is free.
    pub(crate) fn renumbered(&self) -> io::Result<Self> {
        let copy: OwnedFd = self.as_fd().try_clone_to_owned()?;
        match self {
            Self::Tcp(_) => TcpStream::from_std(copy.into()).map(Self::Tcp),
            Self::Unix(_) => UnixStream::from_std(copy.into()).map(Self::Unix),
        }
    }
}

impl StdStream {
    /// Gives it to the runtime of this thread.
    pub(crate) fn into_tokio(self) -> io::Result<Stream> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).map(Stream::Tcp),
            Self::Unix(stream) => UnixStream::from_std(stream).map(Stream::Unix),
        }
    }
}

fn local() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
