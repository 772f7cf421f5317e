//! A socket with a read buffer, deadlines and a record of what came in.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Secured, Stream};
use crate::deadline::within;

/// Every byte that one connection has received, shared with the test that looks at it.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<u8>>>);

impl Record {
    pub(crate) fn bytes(&self) -> Bytes {
        // A test that panicked while it looked has not changed the bytes.
        Bytes::copy_from_slice(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn extend(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }
}

/// A connection that is read piece by piece.
pub(crate) struct Socket {
    stream: Stream,
    buffer: BytesMut,
    record: Option<Record>,
    /// How long one operation may take.
    pub(crate) deadline: Duration,
}

impl Socket {
    pub(crate) fn new(stream: Stream, record: Option<Record>, deadline: Duration) -> Self {
        if let Some(stream) = stream.tcp() {
            // Without it the kernel would hold back the second of two small writes. It fails only
            // on a connection that is already gone, which the next read or write reports.
            let _ = stream.set_nodelay(true);
        }
        Self { stream, buffer: BytesMut::new(), record, deadline }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    pub(crate) fn secured(&self) -> Option<Secured> {
        self.stream.secured()
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        within(self.deadline, "room to write", async {
            self.stream.write_all(bytes).await?;
            // TLS may hold back the end of a record until it is asked.
            self.stream.flush().await
        })
        .await
    }

    /// Sends the FIN, and over TLS the farewell before it; reading goes on.
    pub(crate) async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Closes at once, over TLS without its farewell. What has already arrived is taken first, because the kernel answers
    /// unread bytes with a RST in the place of a FIN.
    pub(crate) fn close(mut self) {
        let mut rest = [0; 4096];
        while let Ok(1..) = self.stream.try_read(&mut rest).inspect(|&n| self.note(&rest[..n])) {}
        self.buffer.clear();
    }

    /// Closes with a RST.
    pub(crate) fn reset(self) -> io::Result<()> {
        self.stream.tcp().map_or(Ok(()), TcpStream::set_zero_linger)
    }

    /// Everything up to and with the next blank line.
    pub(crate) async fn read_head(&mut self) -> io::Result<Bytes> {
        self.read_until(b"\r\n\r\n", "head of a message").await
    }

    /// One line, with its CRLF.
    pub(crate) async fn read_line(&mut self) -> io::Result<Bytes> {
        self.read_until(b"\r\n", "end of a line").await
    }

    pub(crate) async fn read_exact(&mut self, length: usize) -> io::Result<Bytes> {
        within(self.deadline, &format!("{length} bytes"), async {
            while self.buffer.len() < length {
                if !self.fill().await? {
                    return Err(ended(&format!("after {} of {length} bytes", self.buffer.len())));
                }
            }
            Ok(self.buffer.split_to(length).freeze())
        })
        .await
    }

    /// What comes next, as it comes; empty at the end.
    pub(crate) async fn read_some(&mut self) -> io::Result<Bytes> {
        within(self.deadline, "byte", async {
            if self.buffer.is_empty() {
                self.fill().await?;
            }
            Ok(self.buffer.split().freeze())
        })
        .await
    }

    /// Everything until the peer sends its FIN.
    pub(crate) async fn read_to_end(&mut self) -> io::Result<Bytes> {
        within(self.deadline, "end of the connection", async {
            while self.fill().await? {}
            Ok(self.buffer.split().freeze())
        })
        .await
    }

    async fn read_until(&mut self, mark: &[u8], what: &str) -> io::Result<Bytes> {
        within(self.deadline, what, async {
            let mut searched = 0;
            loop {
                let found = self.buffer[searched..].windows(mark.len()).position(|w| w == mark);
                if let Some(at) = found {
                    return Ok(self.buffer.split_to(searched + at + mark.len()).freeze());
                }
                // The mark may have begun in what was searched.
                searched = self.buffer.len().saturating_sub(mark.len() - 1);
                if !self.fill().await? {
                    let text = String::from_utf8_lossy(&self.buffer);
                    return Err(ended(&format!("before the {what}, after {text:?}")));
                }
            }
        })
        .await
    }

    /// Reads once; false at the end.
    async fn fill(&mut self) -> io::Result<bool> {
        let before = self.buffer.len();
        let read = self.stream.read_buf(&mut self.buffer).await?;
        self.note(&self.buffer[before..]);
        Ok(read > 0)
    }

    fn note(&self, bytes: &[u8]) {
        if let Some(record) = &self.record {
            record.extend(bytes);
        }
    }
}

/// The next connection, whatever happens to the listener meanwhile.
pub(crate) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // Most likely out of file descriptors: wait until one is given back.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

fn ended(how: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the connection was closed {how}"))
}
