//! Where a body ends, and reading it to there.

use std::io;

use bytes::{Bytes, BytesMut};

use super::{Fields, Socket};

/// What marks the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// There is no body: the answer to a HEAD, a 1xx, 204 or 304.
    Bodiless,
    /// `Content-Length` says how long it is.
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// It ends when the connection does.
    UntilClose,
}

impl Framing {
    /// The framing of an answer by RFC 9112 section 6.3.
    pub(crate) fn of_response(status: u16, fields: &Fields, answers_head: bool) -> Self {
        match status {
            100..=199 | 204 | 304 => Self::Bodiless,
            _ if answers_head => Self::Bodiless,
            _ if fields.chunked() => Self::Chunked,
            _ if fields.content_length().is_some() => Self::Length,
            _ => Self::UntilClose,
        }
    }

    /// The framing of a request by RFC 9112 section 6.3.
    pub(crate) fn of_request(fields: &Fields) -> Self {
        if fields.chunked() {
            Self::Chunked
        } else if fields.content_length().is_some() {
            Self::Length
        } else {
            Self::Bodiless
        }
    }
}

impl Socket {
    /// Reads a body of that framing and its trailers.
    pub(crate) async fn read_body(
        &mut self,
        framing: Framing,
        fields: &Fields,
    ) -> io::Result<(Bytes, Fields)> {
        let body = match framing {
            Framing::Bodiless => Bytes::new(),
            Framing::Length => self.read_exact(fields.content_length().unwrap_or(0)).await?,
            Framing::UntilClose => self.read_to_end().await?,
            Framing::Chunked => return self.read_chunks().await,
        };
        Ok((body, Fields::default()))
    }

    async fn read_chunks(&mut self) -> io::Result<(Bytes, Fields)> {
        let mut body = BytesMut::new();
        loop {
            let line = self.read_line().await?;
            let size = chunk_size(&line)?;
            if size == 0 {
                return Ok((body.freeze(), self.read_trailers().await?));
            }
            let chunk = self.read_exact(size + 2).await?;
            if !chunk.ends_with(b"\r\n") {
                return Err(invalid(&format!("a chunk of {size} bytes is not followed by CRLF")));
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    async fn read_trailers(&mut self) -> io::Result<Fields> {
        let mut trailers = Fields::default();
        loop {
            let line = self.read_line().await?;
            if line == "\r\n" {
                return Ok(trailers);
            }
            trailers.push_line(String::from_utf8_lossy(&line).trim_end())?;
        }
    }
}

fn chunk_size(line: &[u8]) -> io::Result<usize> {
    let line = String::from_utf8_lossy(line);
    let size = line.trim_end().split(';').next().unwrap_or_default();
    usize::from_str_radix(size, 16).map_err(|_| invalid(&format!("not a chunk size: {line:?}")))
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
