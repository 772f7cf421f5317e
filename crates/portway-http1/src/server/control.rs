//! What a service may say to the connection beyond its answer.

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::link::Peer;

/// A service's line to the connection its request came by. Clones are the same line.
#[derive(Clone)]
pub struct Control(Arc<dyn Peer>);

impl Control {
    pub(super) fn new(peer: Arc<dyn Peer>) -> Self {
        Self(peer)
    }

    /// Sends an interim answer (RFC 9110 section 15.2) ahead of the final one: 100, 102, 103.
    /// Returns whether it is sent: an HTTP/1.0 client gets none, nobody gets one after the final
    /// answer has begun, and a flood of them is cut off.
    pub fn interim(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        self.0.interim(status, headers)
    }

    /// Adds a header line to the answer that is being made, behind those of its map. It is
    /// cheaper than growing the map.
    pub fn add_field(&self, name: &HeaderName, value: &HeaderValue) {
        self.0.add_field(name, value);
    }

    /// The request that is served is the connection's last: its answer says `close`.
    pub fn last(&self) {
        self.0.last();
    }

    /// Bounds the answer to the request that is served: for how long the client may take nothing
    /// of it, and when all of it must be written. The connection is closed beyond either.
    pub fn limit_answer(&self, stall: Option<Duration>, cut: Option<Instant>) {
        self.0.limit_answer(stall, cut);
    }

    /// The bare connection, once a 101 was written. `None`: it was closed before that.
    #[must_use]
    pub fn upgrading(&self) -> Upgrading {
        Upgrading(Arc::clone(&self.0))
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}

/// Resolves when a connection is handed over, or will never be.
pub struct Upgrading(Arc<dyn Peer>);

impl Future for Upgrading {
    type Output = Option<Upgraded>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Upgraded>> {
        let peer = &self.0;
        peer.poll_upgraded(cx).map(|upgraded| upgraded.then(|| Upgraded(Arc::clone(peer))))
    }
}

impl fmt::Debug for Upgrading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrading")
    }
}

/// The bytes of a connection that speaks another protocol now. What the client sent behind its
/// request is read first.
pub struct Upgraded(Arc<dyn Peer>);

impl AsyncRead for Upgraded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buf)
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}

impl Drop for Upgraded {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgraded")
    }
}
