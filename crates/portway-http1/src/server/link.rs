//! The lock around a connection's state, and what others may ask of it without knowing the socket.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::line::{Line, Step, Upgrade};

/// A connection's state. Its lock is taken by the connection's task and by whoever reads the
/// request's body, which is the same task unless an upload was given to another.
#[derive(Debug)]
pub(super) struct Link<Io>(Mutex<Line<Io>>);

impl<Io> Link<Io> {
    pub(super) fn new(line: Line<Io>) -> Self {
        Self(Mutex::new(line))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Line<Io>> {
        // A panic in a waker cannot leave the state half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a body, a [`Control`](super::Control) or an upgraded connection asks of a link.
pub(super) trait Peer: Send + Sync {
    fn poll_body(&self, number: u64, cx: &mut Context<'_>) -> Poll<Step>;
    fn drop_body(&self, number: u64);
    fn interim(&self, status: StatusCode, headers: &HeaderMap) -> bool;
    fn add_field(&self, name: &HeaderName, value: &HeaderValue);
    fn last(&self);
    fn limit_answer(&self, stall: Option<Duration>, cut: Option<Instant>);
    fn poll_upgraded(&self, cx: &mut Context<'_>) -> Poll<bool>;
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn hang_up(&self);
}

impl<Io: AsyncRead + AsyncWrite + Unpin + Send> Peer for Link<Io> {
    fn poll_body(&self, number: u64, cx: &mut Context<'_>) -> Poll<Step> {
        self.lock().poll_body(number, cx)
    }

    fn drop_body(&self, number: u64) {
        self.lock().drop_body(number);
    }

    fn interim(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        self.lock().interim(status, headers)
    }

    fn add_field(&self, name: &HeaderName, value: &HeaderValue) {
        self.lock().fields.push(name, value);
    }

    fn last(&self) {
        self.lock().last = true;
    }

    fn limit_answer(&self, stall: Option<Duration>, cut: Option<Instant>) {
        let mut line = self.lock();
        line.stall = Some(stall);
        line.cut = cut;
    }

    fn poll_upgraded(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut line = self.lock();
        let is_over = line.io.is_none();
        match &mut line.upgrade {
            Upgrade::Done => Poll::Ready(true),
            Upgrade::Not(_) if is_over => Poll::Ready(false),
            Upgrade::Not(waiting) => {
                *waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut line = self.lock();
        let Line { io, inbox, .. } = &mut *line;
        if !inbox.bytes.is_empty() {
            let here = inbox.bytes.len().min(buf.remaining());
            buf.put_slice(&inbox.bytes.split_to(here));
            inbox.rest();
            return Poll::Ready(Ok(()));
        }
        match io {
            Some(io) if !inbox.eof => std::pin::Pin::new(io).poll_read(cx, buf),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        with_io(&mut self.lock(), |io| io.poll_write(cx, bytes))
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_io(&mut self.lock(), |io| io.poll_flush(cx))
    }

    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(with_io(&mut self.lock(), |io| io.poll_shutdown(cx)))?;
        Poll::Ready(Ok(()))
    }

    fn hang_up(&self) {
        self.lock().io = None;
    }
}

fn with_io<Io: Unpin, T>(
    line: &mut Line<Io>,
    ask: impl FnOnce(std::pin::Pin<&mut Io>) -> Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    match &mut line.io {
        Some(io) => ask(std::pin::Pin::new(io)),
        None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
    }
}
