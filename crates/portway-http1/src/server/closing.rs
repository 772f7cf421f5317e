//! Between an answer and what follows it: the rest of a request nobody has read, or the end.

use std::{future::poll_fn, pin::Pin, task::Poll};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{connection::Connection, upload::Holder};

impl<Io> Connection<Io>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Reads what is left of the request, so that the next one can be seen. Returns whether its
    /// end was found within the limits.
    pub(super) async fn drain(&mut self) -> bool {
        if self.link.lock().upload.holder == Holder::Ended {
            return true;
        }
        let (mut bytes, deadline) = (0, Instant::now() + self.options.drain.time);
        poll_fn(|cx| {
            let mut line = self.link.lock();
            line.upload.revoke();
            loop {
                match line.discard() {
                    Ok(_) if line.upload.holder == Holder::Ended => return Poll::Ready(true),
                    Ok(here) => bytes += here,
                    Err(_) => return Poll::Ready(false),
                }
                if bytes > self.options.drain.bytes {
                    return Poll::Ready(false);
                }
                let line = &mut *line;
                let Some(io) = &mut line.io else { return Poll::Ready(false) };
                match line.inbox.poll_fill(io, cx) {
                    Poll::Ready(Ok(read)) if read > 0 => {}
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => break,
                }
            }
            if self.clock.is_past(Some(deadline), cx) { Poll::Ready(false) } else { Poll::Pending }
        })
        .await
    }

    /// Closes behind the last answer.
    pub(super) async fn close(&mut self) {
        let unread = {
            let line = self.link.lock();
            line.upload.holder != Holder::Ended || !line.inbox.bytes.is_empty()
        };
        self.linger(unread).await;
    }

    /// Sees to it that what was written does not look like the whole.
    pub(super) fn break_off(&mut self) {
        if let (Some(how), Some(io)) = (self.break_off, &mut self.link.lock().io) {
            how(io);
        }
    }

    /// Closes in two steps (RFC 9112 section 9.6): a socket that is closed with bytes unread is
    /// reset, and a reset may take the answer with it. So what the client still sends is read and
    /// thrown away for a while, if it may still send any.
    pub(super) async fn linger(&mut self, mut unread: bool) {
        let deadline = Instant::now() + self.options.drain.time;
        let mut shut = false;
        poll_fn(|cx| {
            let mut line = self.link.lock();
            line.upload.revoke();
            let line = &mut *line;
            let Some(io) = &mut line.io else { return Poll::Ready(()) };
            if !shut {
                match Pin::new(&mut *io).poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => shut = true,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {
                        let is_over = self.clock.is_past(Some(deadline), cx);
                        return if is_over { Poll::Ready(()) } else { Poll::Pending };
                    }
                }
            }
            loop {
                line.inbox.bytes.clear();
                match line.inbox.poll_fill(io, cx) {
                    Poll::Ready(Ok(read)) if read > 0 => unread = true,
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => break,
                }
            }
            rest(unread && !self.clock.is_past(Some(deadline), cx))
        })
        .await;
    }
}

fn rest(goes_on: bool) -> Poll<()> {
    if goes_on { Poll::Pending } else { Poll::Ready(()) }
}
