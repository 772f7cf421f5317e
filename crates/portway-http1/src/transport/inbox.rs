//! Bytes that came and were not taken yet.

use std::{
    future::Future,
    io,
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The room of a first read. Heads fit.
const FIRST: usize = 8 * 1024;
/// The room of a read when the peer keeps filling it.
const MOST: usize = 64 * 1024;
/// With less room than this a new buffer is begun.
const LEAST: usize = 2 * 1024;

/// Reads into one buffer, whose parts are handed out without a copy. An empty one holds no memory
/// once it was told to [`rest`](Inbox::rest).
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) bytes: BytesMut,
    room: usize,
    pub(crate) eof: bool,
}

impl Inbox {
    /// Begins with what was read before.
    pub(crate) fn new(read: BytesMut) -> Self {
        Self { bytes: read, room: FIRST, eof: false }
    }

    /// Reads once. Nothing read means that the peer has closed its side, now and for ever.
    pub(crate) fn poll_fill<Io>(
        &mut self,
        io: &mut Io,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>>
    where
        Io: AsyncRead + Unpin,
    {
        if self.eof {
            return Poll::Ready(Ok(0));
        }
        self.make_room();
        let room = self.bytes.capacity() - self.bytes.len();
        let read = ready!(pin!(io.read_buf(&mut self.bytes)).poll(cx))?;
        self.eof = read == 0;
        if read == room {
            self.room = (self.room * 2).min(MOST);
        }
        Poll::Ready(Ok(read))
    }

    /// Sees to it that there is room to read into. As long as parts of the buffer are in use
    /// elsewhere, what is left of it has to do: a new one costs more than a second read.
    fn make_room(&mut self) {
        let room = self.bytes.capacity() - self.bytes.len();
        if room >= self.room || (self.bytes.is_empty() && self.bytes.try_reclaim(self.room)) {
            return;
        }
        if room < LEAST.max(self.room / 4) {
            self.bytes.reserve(self.room);
        }
    }

    /// Gives the buffer back if nothing is in it.
    pub(crate) fn rest(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
            self.room = FIRST;
        }
    }
}
