//! One request and its answer on a connection that stays.

use std::{io, net::SocketAddr};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longer than any answer of the benchmark, its head included.
const ROOM: usize = 4 * 1024;

/// A connection without a request under way.
pub(super) struct Idle(TcpStream);

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: usize,
    /// The connection, unless it was closed.
    pub(super) idle: Option<Idle>,
}

impl Idle {
    pub(super) async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    pub(super) async fn ask(mut self, request: &Bytes) -> io::Result<Answer> {
        self.0.write_all(request).await?;
        let mut room = [0; ROOM];
        let mut filled = 0;
        loop {
            let read = self.0.read(&mut room[filled..]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            let Some(end) = room[..filled].windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = Head::read(&room[..end]).ok_or_else(|| {
                io::Error::other("an answer without a status or a length was received")
            })?;
            if filled < end + 4 + head.length {
                continue;
            }
            let idle = (!head.closes).then_some(self);
            return Ok(Answer { status: head.status, body: head.length, idle });
        }
    }
}

#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    length: usize,
    closes: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let (mut length, mut closes) = (None, false);
        for line in lines {
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                closes = value.trim().eq_ignore_ascii_case("close");
            }
        }
        Some(Self { status, length: length?, closes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_long_the_body_is() {
        let head = Head::read(b"HTTP/1.1 200 OK\r\ncontent-length: 79\r\nX: y");
        assert_eq!(head, Some(Head { status: 200, length: 79, closes: false }));
        let head = Head::read(b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length:0");
        assert_eq!(head, Some(Head { status: 503, length: 0, closes: true }));
        assert_eq!(Head::read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked"), None);
    }
}
