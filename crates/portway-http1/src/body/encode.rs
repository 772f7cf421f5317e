//! From a body to bytes.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

use super::Framing;
use crate::{head::encode_trailers, transport::Outbox};

/// Puts one body on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoder(State);

#[derive(Clone, Copy, Debug)]
enum State {
    Length(u64),
    Chunked,
    UntilClose,
}

/// A body that is not as long as its head says. The message cannot be ended properly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a body is not as long as its head says")
    }
}

impl std::error::Error for Mismatch {}

impl Encoder {
    /// Begins a body.
    #[must_use]
    pub(crate) fn new(framing: Framing) -> Self {
        Self(match framing {
            Framing::None => State::Length(0),
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked,
            Framing::UntilClose => State::UntilClose,
        })
    }

    /// Writes data.
    ///
    /// # Errors
    /// More of it than the head says.
    pub(crate) fn data(&mut self, data: Bytes, out: &mut Outbox) -> Result<(), Mismatch> {
        if data.is_empty() {
            return Ok(());
        }
        match &mut self.0 {
            State::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(Mismatch)?;
                out.push(data);
            }
            State::UntilClose => out.push(data),
            State::Chunked => {
                let mut line = [0; 18];
                out.put(size_line(data.len(), &mut line));
                out.push(data);
                out.put(b"\r\n");
            }
        }
        Ok(())
    }

    /// Writes the end, and trailers where the framing has a place for them.
    ///
    /// # Errors
    /// Less data than the head says.
    pub(crate) fn end(
        &mut self,
        trailers: Option<&HeaderMap>,
        out: &mut Outbox,
    ) -> Result<(), Mismatch> {
        match self.0 {
            State::Length(0) | State::UntilClose => Ok(()),
            State::Length(_) => Err(Mismatch),
            State::Chunked => {
                let flat = out.flat();
                flat.extend_from_slice(b"0\r\n");
                if let Some(trailers) = trailers {
                    encode_trailers(trailers, flat);
                }
                flat.extend_from_slice(b"\r\n");
                Ok(())
            }
        }
    }
}

/// The size in hexadecimal and CRLF.
fn size_line(size: usize, line: &mut [u8; 18]) -> &[u8] {
    let mut at = line.len() - 2;
    line[at..].copy_from_slice(b"\r\n");
    let mut rest = size;
    loop {
        at -= 1;
        line[at] = b"0123456789abcdef"[rest & 0xf];
        rest >>= 4;
        if rest == 0 {
            return &line[at..];
        }
    }
}
