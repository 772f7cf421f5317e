//! A request's body that is still on its way when the answer comes.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Body;
use tokio::io::{AsyncWrite, WriteHalf};

use crate::transport::{Feed, Outbox};

/// The rest of a request, to be driven in a task of its own beside the answer. Its errors reach
/// the answer's body; nobody else has a use for them.
#[must_use = "the upstream may wait for the rest of the request"]
pub struct Upload<Io, B> {
    io: WriteHalf<Io>,
    body: B,
    feed: Feed,
    outbox: Outbox,
}

impl<Io, B> Upload<Io, B> {
    pub(super) fn new(io: WriteHalf<Io>, body: B, feed: Feed, outbox: Outbox) -> Self {
        Self { io, body, feed, outbox }
    }
}

impl<Io, B> Future for Upload<Io, B>
where
    Io: AsyncWrite + Unpin,
    B: Body<Data = Bytes> + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { io, body, feed, outbox } = self.get_mut();
        loop {
            if feed.poll(Pin::new(&mut *body), outbox, cx).is_err() {
                // The upstream must see that the request is not whole.
                return Pin::new(io).poll_shutdown(cx).map(drop);
            }
            if outbox.is_empty() {
                return if feed.is_ended() { Poll::Ready(()) } else { Poll::Pending };
            }
            match outbox.poll_write(io, cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<Io, B> fmt::Debug for Upload<Io, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upload")
    }
}
