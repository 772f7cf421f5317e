//! The end of a WebSocket that must end: a Close frame to each side, put between the frames that
//! pass (RFC 6455 section 5.5.1), so that nobody takes a half for a whole.

use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::websocket::{GOING_AWAY, Sender, Tracker, close_frame, masked_close_frame};

const REASON: &str = "the gateway ends this connection";

/// The client's side of a WebSocket that may have to end. Once it is told to leave, the client gets
/// a Close frame, and the other side reads one from here, each between two frames.
pub(super) struct Parting<'a, S> {
    client: S,
    leaving: &'a AtomicBool,
    from_client: Tracker,
    to_client: Tracker,
    /// What is left of the Close frame for the client; empty once it was written.
    to_write: Option<Bytes>,
    /// What is left of the one for the upstream; empty once it was read.
    to_read: Option<Bytes>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Parting<'a, S> {
    pub(super) fn new(client: S, leaving: &'a AtomicBool) -> Self {
        Self {
            client,
            leaving,
            from_client: Tracker::new(Sender::Client),
            to_client: Tracker::new(Sender::Server),
            to_write: None,
            to_read: None,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.client
    }

    /// Writes the Close frame for the client, when it may stand here.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.to_write.is_none() {
            if !self.leaving.load(Relaxed) || !self.to_client.at_boundary() {
                return Poll::Ready(Ok(()));
            }
            let farewell = close_frame(GOING_AWAY, REASON);
            self.to_client.track(&farewell);
            self.to_write = Some(farewell);
        }
        while let Some(rest) = self.to_write.as_mut().filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.client).poll_write(cx, rest))?;
            rest.advance(written);
        }
        Pin::new(&mut self.client).poll_flush(cx)
    }

    /// Gives the upstream its Close frame, and then the end.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let rest = self.to_read.get_or_insert_with(|| masked_close_frame(GOING_AWAY, REASON));
        let take = rest.len().min(buf.remaining());
        buf.put_slice(&rest.split_to(take));
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Parting<'_, S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.leaving.load(Relaxed) {
            // A client that takes nothing must not keep the upstream from being told.
            if let Poll::Ready(Err(error)) = this.poll_farewell(cx) {
                return Poll::Ready(Err(error));
            }
            if this.to_read.is_some() || this.from_client.at_boundary() {
                this.give(buf);
                return Poll::Ready(Ok(()));
            }
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.client).poll_read(cx, buf))?;
        this.from_client.track(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Parting<'_, S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.leaving.load(Relaxed) {
            ready!(this.poll_farewell(cx))?;
            if this.to_write.is_some() {
                // Behind a Close frame there is nothing more.
                return Poll::Ready(Ok(bytes.len()));
            }
        }
        let part = match this.leaving.load(Relaxed) {
            true => this.to_client.boundary_in(bytes).map_or(bytes, |end| &bytes[..end]),
            false => bytes,
        };
        let written = ready!(Pin::new(&mut this.client).poll_write(cx, part))?;
        this.to_client.track(&part[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_shutdown(cx)
    }
}
