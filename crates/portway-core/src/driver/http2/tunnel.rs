//! A stream as a pair of byte streams: what is tunnelled over HTTP/2 (RFC 8441 section 5).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
};

/// A tunnel whose other direction comes once the request was answered.
pub(crate) struct Awaited {
    received: RecvStream,
    sender: oneshot::Receiver<SendStream<Bytes>>,
}

impl Awaited {
    pub(super) fn new(received: RecvStream, sender: oneshot::Receiver<SendStream<Bytes>>) -> Self {
        Self { received, sender }
    }

    /// Both directions. `None`: the client has left before that.
    pub(in crate::driver) async fn open(self) -> Option<StreamIo> {
        Some(StreamIo::new(self.received, self.sender.await.ok()?))
    }
}

/// Both directions of a stream.
pub(crate) struct StreamIo {
    received: RecvStream,
    read: Bytes,
    sender: SendStream<Bytes>,
    ended: bool,
}

impl StreamIo {
    pub(super) fn new(received: RecvStream, sender: SendStream<Bytes>) -> Self {
        Self { received, read: Bytes::new(), sender, ended: false }
    }
}

impl AsyncRead for StreamIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.read.is_empty() {
            match ready!(this.received.poll_data(cx)) {
                Some(Ok(data)) => this.read = data,
                // That a client resets its stream is how it closes a connection at once.
                Some(Err(error)) => return Poll::Ready(Err(io_error(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let take = this.read.len().min(buf.remaining());
        buf.put_slice(&this.read[..take]);
        this.read.advance(take);
        let _ = this.received.flow_control().release_capacity(take);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for StreamIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        this.sender.reserve_capacity(bytes.len());
        let room = match this.sender.capacity() {
            0 => match ready!(this.sender.poll_capacity(cx)) {
                Some(room) => room.map_err(io_error)?,
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            },
            room => room,
        };
        let part = &bytes[..room.min(bytes.len())];
        this.sender.send_data(Bytes::copy_from_slice(part), false).map_err(io_error)?;
        Poll::Ready(Ok(part.len()))
    }

    /// What is given to h2 goes as soon as it can.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ended {
            this.ended = true;
            this.sender.send_data(Bytes::new(), true).map_err(io_error)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for StreamIo {
    fn drop(&mut self) {
        if !self.ended {
            self.sender.send_reset(Reason::CANCEL);
        }
    }
}

fn io_error(error: h2::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, error)
}
