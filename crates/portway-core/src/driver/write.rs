//! How several buffers leave in one system call, as cheaply as the kernel allows.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;

use crate::socket::Wire;

/// Up to this many bytes are copied together: below it `send` of one buffer is cheaper than
/// `writev` of several, and a head with a small body fits.
const TOGETHER: usize = 2048;

/// Writes `buffers` with `send` where that takes one call, else with `writev`.
pub(super) fn poll_write_buffers(
    mut socket: Pin<&mut Wire>,
    cx: &mut Context<'_>,
    buffers: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    if let [only] = buffers {
        return socket.poll_write(cx, only);
    }
    let total: usize = buffers.iter().map(|buffer| buffer.len()).sum();
    if total > TOGETHER {
        return socket.poll_write_vectored(cx, buffers);
    }
    let mut together = [0; TOGETHER];
    let mut filled = 0;
    for buffer in buffers {
        together[filled..filled + buffer.len()].copy_from_slice(buffer);
        filled += buffer.len();
    }
    socket.as_mut().poll_write(cx, &together[..filled])
}
