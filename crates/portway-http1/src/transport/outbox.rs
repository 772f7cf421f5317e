//! Bytes that are to go.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;

/// Up to this size data is copied behind what is there, so that one `send` takes both: below it
/// that is cheaper than a `writev`.
const COPIED: usize = 2 * 1024;
/// The slices of one vectored write.
const SLICES: usize = 8;

/// Collects a message's parts so that they leave in few writes: small ones are copied together,
/// large ones stay where they are.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Bytes>,
    /// What comes behind the queue.
    flat: BytesMut,
    queued: usize,
    /// The stream has it all, and may not have passed it on.
    unflushed: bool,
}

impl Outbox {
    /// Nothing to go.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Copies bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.flat.extend_from_slice(bytes);
    }

    /// Where to write to the end.
    pub(crate) fn flat(&mut self) -> &mut BytesMut {
        &mut self.flat
    }

    /// Adds data, copied only if that is cheaper.
    pub(crate) fn push(&mut self, data: Bytes) {
        if data.len() <= COPIED {
            self.put(&data);
            return;
        }
        if !self.flat.is_empty() {
            let before = self.flat.split().freeze();
            self.queued += before.len();
            self.queue.push_back(before);
        }
        self.queued += data.len();
        self.queue.push_back(data);
    }

    /// Bytes to go.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.queued + self.flat.len()
    }

    /// Whether nothing is to go.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0 && !self.unflushed
    }

    /// Writes once, as much as the stream takes, and sees to it that the last of it is passed on:
    /// some streams collect. Returns how much was taken.
    pub(crate) fn poll_write<Io>(
        &mut self,
        io: &mut Io,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>>
    where
        Io: AsyncWrite + Unpin,
    {
        let mut io = Pin::new(io);
        if self.unflushed {
            ready!(io.as_mut().poll_flush(cx))?;
            self.unflushed = false;
            return Poll::Ready(Ok(0));
        }
        let written = if self.queue.is_empty() {
            ready!(io.as_mut().poll_write(cx, &self.flat))?
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            let all = self.queue.iter().map(|part| &part[..]).chain([&self.flat[..]]);
            for (slice, part) in slices.iter_mut().zip(all.filter(|part| !part.is_empty())) {
                *slice = IoSlice::new(part);
                count += 1;
            }
            ready!(io.as_mut().poll_write_vectored(cx, &slices[..count]))?
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.advance(written);
        // That this fails shows next time: by now something was taken.
        self.unflushed = self.is_empty() && !matches!(io.poll_flush(cx), Poll::Ready(Ok(())));
        Poll::Ready(Ok(written))
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(first) = self.queue.front_mut() {
            let here = written.min(first.len());
            first.advance(here);
            self.queued -= here;
            written -= here;
            if !first.is_empty() {
                return;
            }
            self.queue.pop_front();
        }
        if written == self.flat.len() {
            self.flat.clear();
        } else {
            self.flat.advance(written);
        }
    }

    /// Gives its memory back if there is nothing to go.
    pub(crate) fn rest(&mut self) {
        if self.is_empty() {
            *self = Self::new();
        }
    }
}
