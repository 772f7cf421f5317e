//! One accepted connection, in the hands of a script.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::wire::{Fields, Framing, Record, Secured, Socket, Stream, split_head};

/// How long one operation of a script may take: longer than any client waits, so that the
/// client's error is the one a test shows.
const PATIENCE: Duration = Duration::from_secs(60);

/// One accepted connection. Each operation on it fails after a minute, and it ends with its
/// upstream.
///
/// Dropping it closes the connection as [`close`](Self::close) does.
pub struct RawConnection {
    /// Taken only when the connection is closed.
    socket: Option<Socket>,
    index: usize,
}

/// A request as it was read.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// The request line, for example `GET / HTTP/1.1`.
    pub line: String,
    /// The header fields.
    pub headers: Fields,
    /// The body, without its framing.
    pub body: Bytes,
    /// The trailer fields.
    pub trailers: Fields,
}

impl RawConnection {
    pub(super) fn new(stream: Stream, index: usize, record: Record) -> Self {
        Self { socket: Some(Socket::new(stream, Some(record), PATIENCE)), index }
    }

    /// The how-manieth connection of this upstream it is, counted from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The address of the client.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket_ref().peer_addr()
    }

    /// What TLS says about the connection, if it is TLS.
    #[must_use]
    pub fn secured(&self) -> Option<Secured> {
        self.socket_ref().secured()
    }

    /// Reads up to and with the next blank line.
    pub async fn read_head(&mut self) -> io::Result<String> {
        let head = self.socket().read_head().await?;
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    /// Reads a request to its end, by `Content-Length` or chunks.
    pub async fn read_request(&mut self) -> io::Result<RawRequest> {
        let (line, headers) = split_head(&self.read_head().await?)?;
        let framing = Framing::of_request(&headers);
        let (body, trailers) = self.socket().read_body(framing, &headers).await?;
        Ok(RawRequest { line, headers, body, trailers })
    }

    /// Reads exactly `length` bytes.
    pub async fn read_exact(&mut self, length: usize) -> io::Result<Bytes> {
        self.socket().read_exact(length).await
    }

    /// Reads what comes next, as it comes; empty at the peer's FIN.
    pub async fn read_some(&mut self) -> io::Result<Bytes> {
        self.socket().read_some().await
    }

    /// Reads until the peer's FIN.
    pub async fn read_to_end(&mut self) -> io::Result<Bytes> {
        self.socket().read_to_end().await
    }

    /// Writes these bytes.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket().write(bytes.as_ref()).await
    }

    /// Sends the FIN, over TLS after its farewell, and goes on reading.
    pub async fn half_close(&mut self) -> io::Result<()> {
        self.socket().shutdown().await
    }

    /// Closes with a FIN, at once, over TLS without its farewell. What the peer sends from now on, its kernel sees refused.
    ///
    /// Returns a result so that a script can end with it.
    pub fn close(mut self) -> io::Result<()> {
        self.close_now();
        Ok(())
    }

    /// Closes with a RST, at once.
    pub fn reset(mut self) -> io::Result<()> {
        self.socket.take().expect("only close and reset take the socket, and consume self").reset()
    }

    fn close_now(&mut self) {
        if let Some(socket) = self.socket.take() {
            socket.close();
        }
    }

    fn socket(&mut self) -> &mut Socket {
        self.socket.as_mut().expect("only close and reset take the socket, and consume self")
    }

    fn socket_ref(&self) -> &Socket {
        self.socket.as_ref().expect("only close and reset take the socket, and consume self")
    }
}

impl Drop for RawConnection {
    fn drop(&mut self) {
        self.close_now();
    }
}
