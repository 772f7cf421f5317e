//! A client that sends what it is given and reads what is there.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::{RawHead, RawResponse};
use crate::deadline::{DEADLINE, within};
use crate::wire::{Framing, Place, Secured, Socket};

/// One HTTP/1.1 connection, byte by byte.
pub struct RawClient {
    socket: Socket,
}

/// How the peer closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// With a FIN: an orderly end.
    Fin,
    /// With a RST: what was in flight may be lost.
    Reset,
}

impl RawClient {
    /// Opens a connection.
    pub async fn connect(addr: SocketAddr) -> io::Result<Self> {
        Self::connect_to(Place::Tcp(addr)).await
    }

    /// Opens a connection to a Unix domain socket.
    pub async fn connect_unix(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::connect_to(Place::Unix(path.as_ref().to_owned())).await
    }

    /// Opens a connection over TLS; what is sent and read are the bytes inside.
    ///
    /// The error of a refused handshake shows the alert. Under TLS 1.3 a server refuses a
    /// client's certificate after the handshake, so that it is the first read that fails.
    #[cfg(feature = "tls")]
    pub async fn connect_tls(addr: SocketAddr, tls: &crate::tls::ClientTls) -> io::Result<Self> {
        Self::connect_to(Place::Tls(addr, tls.clone())).await
    }

    async fn connect_to(place: Place) -> io::Result<Self> {
        let stream = within(DEADLINE, "connection", place.connect()).await?;
        Ok(Self { socket: Socket::new(stream, None, DEADLINE) })
    }

    /// What TLS has agreed on and whom the server says it is, if this is TLS.
    #[must_use]
    pub fn secured(&self) -> Option<Secured> {
        self.socket.secured()
    }

    /// Gives each operation this long, in the place of [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.socket.deadline = deadline;
        self
    }

    /// Our own address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends these bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket.write(bytes.as_ref()).await
    }

    /// Sends these bytes in writes of `every` bytes each, with a turn of the runtime between two.
    /// Nagle's algorithm is off, so each write leaves at once.
    pub async fn send_split(&mut self, bytes: impl AsRef<[u8]>, every: usize) -> io::Result<()> {
        for piece in bytes.as_ref().chunks(every.max(1)) {
            self.socket.write(piece).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Sends the FIN, over TLS after its farewell, and goes on reading.
    pub async fn half_close(&mut self) -> io::Result<()> {
        self.socket.shutdown().await
    }

    /// Sends these bytes and reads the answer to them.
    pub async fn exchange(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<RawResponse> {
        self.send(bytes).await?;
        self.read_response().await
    }

    /// Reads one answer to its end.
    ///
    /// A body that ends before its framing says so is an
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), or the error of the reset.
    pub async fn read_response(&mut self) -> io::Result<RawResponse> {
        self.read_answer(false).await
    }

    /// Reads the answer to a HEAD request, which has no body whatever its head says.
    pub async fn read_response_to_head(&mut self) -> io::Result<RawResponse> {
        self.read_answer(true).await
    }

    /// Reads one head, interim or final, and leaves its body for the other methods.
    pub async fn read_head(&mut self) -> io::Result<RawHead> {
        RawHead::parse(self.socket.read_head().await?)
    }

    /// Reads exactly `length` bytes.
    pub async fn read_exact(&mut self, length: usize) -> io::Result<Bytes> {
        self.socket.read_exact(length).await
    }

    /// Reads what comes next, as it comes; empty at the peer's FIN.
    pub async fn read_some(&mut self) -> io::Result<Bytes> {
        self.socket.read_some().await
    }

    /// Reads until the peer's FIN.
    pub async fn read_to_end(&mut self) -> io::Result<Bytes> {
        self.socket.read_to_end().await
    }

    /// Waits until the peer closes. Any byte before that is an error that shows it.
    pub async fn expect_closed(&mut self) -> io::Result<Closed> {
        match self.socket.read_some().await {
            Ok(bytes) if bytes.is_empty() => Ok(Closed::Fin),
            Ok(bytes) => {
                let text = format!("expected a close, got {:?}", String::from_utf8_lossy(&bytes));
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Closed::Reset),
            Err(error) => Err(error),
        }
    }

    /// Closes with a FIN, at once; over TLS without its farewell.
    pub fn close(self) {
        self.socket.close();
    }

    /// Closes with a RST, at once.
    pub fn reset(self) -> io::Result<()> {
        self.socket.reset()
    }

    async fn read_answer(&mut self, to_head: bool) -> io::Result<RawResponse> {
        let mut interim = Vec::new();
        let head = loop {
            let head = self.read_head().await?;
            if !head.is_interim() {
                break head;
            }
            interim.push(head);
        };
        let framing = Framing::of_response(head.status, &head.headers, to_head);
        let body = self.socket.read_body(framing, &head.headers).await?;
        Ok(RawResponse::new(head, body, framing, interim))
    }
}
