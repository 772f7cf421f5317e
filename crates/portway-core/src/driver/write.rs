//! How several buffers leave in one system call, as cheaply as the kernel allows.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Up to this many bytes are copied together: below it `send` of one buffer is cheaper than
/// `writev` of several, and a head with a small body fits.
const TOGETHER: usize = 2048;

/// Writes `buffers` with `send` where that takes one call, else with `writev`.
pub(super) fn poll_write_buffers(
    mut socket: Pin<&mut TcpStream>,
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

/// An upstream's socket.
pub(super) struct Direct(pub(super) TcpStream);

impl AsyncRead for Direct {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Direct {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        poll_write_buffers(Pin::new(&mut self.0), cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
