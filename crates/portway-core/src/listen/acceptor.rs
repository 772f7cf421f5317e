//! A listening socket on its core.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdTcpListener},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixListener as StdUnixListener,
    },
};

use tokio::net::{TcpListener, UdpSocket, UnixListener};

use super::Listening;
use crate::socket::{StdStream, Stream};

/// A socket that this core's runtime waits for.
#[derive(Debug)]
pub(crate) enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
    Udp(UdpSocket),
}

impl Acceptor {
    /// To be called on the runtime that is to wait for it.
    pub(crate) fn from_std(socket: Listening) -> io::Result<Self> {
        match socket {
            Listening::Tcp(socket) => TcpListener::from_std(socket).map(Self::Tcp),
            Listening::Unix(socket) => UnixListener::from_std(socket).map(Self::Unix),
            Listening::Udp(socket) => UdpSocket::from_std(socket).map(Self::Udp),
        }
    }

    /// The next connection. To a socket for datagrams none ever comes.
    pub(super) async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        let stream = match self {
            Self::Tcp(socket) => {
                let (stream, peer) = socket.accept().await?;
                return Ok((Stream::Tcp(stream), peer));
            }
            Self::Unix(socket) => Stream::Unix(socket.accept().await?.0),
            Self::Udp(_) => std::future::pending().await,
        };
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }

    /// What the queue still holds. The kernel is asked: the runtime may not have heard of the
    /// newest connections, and lets a task take only so many.
    pub(super) fn into_queue(self) -> Queue {
        match self {
            Self::Tcp(socket) => socket.into_std().map_or(Queue::Empty, Queue::Tcp),
            Self::Unix(socket) => socket.into_std().map_or(Queue::Empty, Queue::Unix),
            Self::Udp(_) => Queue::Empty,
        }
    }
}

impl AsFd for Acceptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
            Self::Udp(socket) => socket.as_fd(),
        }
    }
}

/// Connections that nobody has accepted yet. The socket is closed when it is dropped.
pub(super) enum Queue {
    Tcp(StdTcpListener),
    Unix(StdUnixListener),
    Empty,
}

impl Iterator for Queue {
    type Item = StdStream;

    fn next(&mut self) -> Option<StdStream> {
        loop {
            let accepted = match self {
                Self::Tcp(socket) => socket.accept().and_then(|(stream, _)| {
                    stream.set_nonblocking(true)?;
                    Ok(StdStream::Tcp(stream))
                }),
                Self::Unix(socket) => socket.accept().and_then(|(stream, _)| {
                    stream.set_nonblocking(true)?;
                    Ok(StdStream::Unix(stream))
                }),
                Self::Empty => return None,
            };
            match accepted {
                Ok(stream) => return Some(stream),
                // That one left while it was queued; others may be behind it.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => return None,
            }
        }
    }
}
