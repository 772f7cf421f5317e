//! The socket below HTTP/2.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{meter::Meter, pace::Pace};
use crate::{
    driver::{FAREWELL, write::poll_write_buffers},
    socket::Wire,
};

/// A client's socket. It tells the pace when the client takes nothing, or floods, and is closed in
/// a way that leaves the client what was said last.
pub(super) struct ClientSocket {
    socket: Wire,
    pace: Arc<Pace>,
    meter: Meter,
    /// Bytes read before the protocol was known.
    read: Bytes,
    lingering: Option<Pin<Box<Sleep>>>,
}

impl ClientSocket {
    pub(super) fn new(socket: Wire, pace: Arc<Pace>, read: Bytes) -> Self {
        Self { socket, pace, meter: Meter::new(), read, lingering: None }
    }

    fn note_write(&mut self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &outcome {
            Poll::Pending => self.pace.blocked(),
            Poll::Ready(written) => {
                self.meter.writes(written.as_ref().map_or(0, |bytes| *bytes));
                self.pace.unblocked();
            }
        }
        outcome
    }

    fn note_read(&mut self, bytes: &[u8]) {
        self.meter.reads(bytes, self.pace.hears());
        if self.meter.is_flooded() {
            self.pace.floods();
        }
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.read.is_empty() {
            let take = this.read.len().min(buf.remaining());
            let read = this.read.split_to(take);
            this.note_read(&read);
            buf.put_slice(&read);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let outcome = Pin::new(&mut this.socket).poll_read(cx, buf);
        if outcome.is_ready() {
            this.note_read(&buf.filled()[before..]);
        }
        outcome
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.note_write(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = poll_write_buffers(Pin::new(&mut self.socket), cx, buffers);
        self.note_write(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    /// Closes in two steps (RFC 9112 section 9.6): a socket that is closed with bytes unread is
    /// reset, and a reset may take the answer with it. So what the client still sends is read and
    /// thrown away, if it may still send any.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
        }
        let mut space = [0; 4096];
        // Who floods has more on its way, whether or not it is here.
        let mut unread = this.lingering.is_some() || this.meter.is_flooded();
        loop {
            let mut taken = ReadBuf::new(&mut space);
            match Pin::new(&mut this.socket).poll_read(cx, &mut taken) {
                Poll::Ready(Ok(())) if !taken.filled().is_empty() => unread = true,
                Poll::Pending if unread => break,
                // The client has closed too, or is silent.
                _ => return Poll::Ready(Ok(())),
            }
        }
        let lingering = this.lingering.get_or_insert_with(|| Box::pin(sleep(FAREWELL)));
        lingering.as_mut().poll(cx).map(Ok)
    }
}

impl Drop for ClientSocket {
    /// Whoever took too long is told by TLS that this is the end, as far as there is room for it.
    fn drop(&mut self) {
        if let Wire::Tls(_) = self.socket {
            let mut cx = Context::from_waker(Waker::noop());
            let _ = Pin::new(&mut self.socket).poll_shutdown(&mut cx);
        }
    }
}
