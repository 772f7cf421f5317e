//! Upgraded connections: bytes copied both ways after a 101, and only then.

use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use portway_http1::server::Upgrading;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional},
    time::{Instant, Sleep, sleep, timeout},
};

use super::{
    Upgradable,
    http2::{Awaited, StreamIo},
    parting::Parting,
    server::FAREWELL,
};
use crate::socket::{Prefixed, Wire};

/// The client's side of an upgrade that may come: taken from the request before it is forwarded.
pub(crate) enum ClientUpgrade {
    Http1(Upgrading),
    /// An extended CONNECT (RFC 8441). On the heap: the future of every request has room for this.
    Http2(Box<Awaited>),
    /// The connection is another server's.
    Foreign(Upgradable),
}

/// The upstream's side of an upgrade that came.
pub(crate) enum UpstreamUpgrade {
    Http1 {
        socket: Wire,
        /// What the upstream sent right behind its 101.
        read: Bytes,
    },
    Http2(StreamIo),
}

/// How a tunnel ended, and what went through it.
#[derive(Debug)]
pub(crate) struct TunnelEnd {
    pub(crate) from_client: u64,
    pub(crate) from_upstream: u64,
    pub(crate) reason: TunnelEndReason,
}

/// Why a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TunnelEndReason {
    /// One side closed it, or broke.
    Closed,
    /// Nothing passed for too long.
    Idle,
    /// It had to end.
    Cut,
}

/// One side of a tunnel, whatever carries it.
pub(crate) trait Side: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Side for T {}

impl ClientUpgrade {
    /// Waits until the client has its answer. `None`: it has left.
    async fn open(self) -> Option<Box<dyn Side>> {
        match self {
            Self::Http1(upgrading) => Some(Box::new(upgrading.await?)),
            Self::Http2(awaited) => Some(Box::new(awaited.open().await?)),
            Self::Foreign(line) => line.take()?.await.ok(),
        }
    }
}

impl UpstreamUpgrade {
    fn open(self) -> Box<dyn Side> {
        match self {
            Self::Http1 { socket, read } => Box::new(Prefixed::new(read, socket)),
            Self::Http2(stream) => Box::new(stream),
        }
    }
}

/// What passes through a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// Frames of WebSocket, between which a farewell can be put.
    WebSocket,
    /// Nobody knows.
    Bytes,
}

/// Copies both ways until both sides have closed, no byte has passed for `idle`, or `cut`
/// resolves. Then a WebSocket has a moment for its farewell.
pub(crate) async fn tunnel(
    client: ClientUpgrade,
    upstream: UpstreamUpgrade,
    passing: Passing,
    idle: Option<Duration>,
    cut: impl Future<Output = ()>,
) -> TunnelEnd {
    let end = |from_client, from_upstream, reason| TunnelEnd { from_client, from_upstream, reason };
    let Some(client) = client.open().await else { return end(0, 0, TunnelEndReason::Closed) };
    let mut client = Watched::new(client, idle);
    let mut upstream = upstream.open();
    let copied = match passing {
        Passing::Bytes => {
            let copy = copy_bidirectional(&mut client, &mut upstream);
            tokio::select! {
                biased;
                () = cut => None,
                copied = copy => Some(copied),
            }
        }
        Passing::WebSocket => {
            let leaving = AtomicBool::new(false);
            let mut parting = Parting::new(client, &leaving);
            let copied = until_farewell(&mut parting, &mut *upstream, &leaving, cut).await;
            client = parting.into_inner();
            copied
        }
    };
    let reason = match copied {
        None => TunnelEndReason::Cut,
        Some(Err(error)) if error.kind() == io::ErrorKind::TimedOut => TunnelEndReason::Idle,
        Some(_) => TunnelEndReason::Closed,
    };
    end(client.read, client.written, reason)
}

/// Copies until both sides have closed, or until `cut` resolves and the farewells are said. `None`:
/// it was cut.
async fn until_farewell(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    upstream: &mut dyn Side,
    leaving: &AtomicBool,
    cut: impl Future<Output = ()>,
) -> Option<io::Result<(u64, u64)>> {
    let mut upstream = upstream;
    let mut copy = pin!(copy_bidirectional(client, &mut upstream));
    tokio::select! {
        biased;
        () = cut => {}
        copied = &mut copy => return Some(copied),
    }
    leaving.store(true, Relaxed);
    let _ = timeout(FAREWELL, copy).await;
    None
}

/// The client's side of a tunnel: counts what passes, and fails when nothing does for too long.
/// Every byte of a tunnel passes here, so one side is enough to watch.
struct Watched {
    io: Box<dyn Side>,
    read: u64,
    written: u64,
    moved: bool,
    idle: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Watched {
    fn new(io: Box<dyn Side>, idle: Option<Duration>) -> Self {
        let idle = idle.map(|idle| (idle, Box::pin(sleep(idle))));
        Self { io, read: 0, written: 0, moved: false, idle }
    }

    /// Fails once nothing has passed for between one and two idle periods: a period in which
    /// something passed is followed by a whole new one, so that bytes cost no clock.
    fn check_idle(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some((period, sleep)) = &mut self.idle else { return Ok(()) };
        while sleep.as_mut().poll(cx).is_ready() {
            if !std::mem::take(&mut self.moved) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            sleep.as_mut().reset(Instant::now() + *period);
        }
        Ok(())
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buf) {
            Poll::Pending => {
                this.check_idle(cx).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending)
            }
            ready @ Poll::Ready(_) => {
                this.read += (buf.filled().len() - before) as u64;
                this.moved = true;
                ready
            }
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = std::task::ready!(Pin::new(&mut this.io).poll_write(cx, bytes))?;
        this.written += written as u64;
        this.moved = true;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
