//! From bytes to a body.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::{
    Framing,
    chunked::{Chunked, Part},
};
use crate::error::BodyError;

/// Takes one body out of the bytes of a connection, and not a byte more.
#[derive(Clone, Debug)]
pub struct Decoder(State);

#[derive(Clone, Debug)]
enum State {
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Done,
    /// It is malformed, and stays so: what follows belongs to nothing.
    Malformed,
}

/// What was found next in a body.
#[derive(Debug)]
pub enum Decoded {
    /// Some of its data, never empty.
    Data(Bytes),
    /// Its trailers; the end follows.
    Trailers(HeaderMap),
    /// Its end.
    End,
    /// More has to come.
    More,
}

impl Decoder {
    /// Begins a body.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self(match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::new()),
            Framing::UntilClose => State::UntilClose,
        })
    }

    /// The next part of the body in `bytes`; `eof` says that nothing follows them.
    ///
    /// # Errors
    /// A malformed body, and one that ends before it should.
    pub fn decode(&mut self, bytes: &mut BytesMut, eof: bool) -> Result<Decoded, BodyError> {
        let decoded = match &mut self.0 {
            State::Done => return Ok(Decoded::End),
            State::Malformed => return Err(BodyError::Chunk),
            State::Length(_) | State::UntilClose if bytes.is_empty() => None,
            State::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= here as u64;
                if *left == 0 {
                    self.0 = State::Done;
                }
                Some(Decoded::Data(bytes.split_to(here).freeze()))
            }
            State::UntilClose => Some(Decoded::Data(bytes.split().freeze())),
            State::Chunked(chunked) => match chunked.decode(bytes) {
                Ok(part) => part.map(|part| match part {
                    Part::Data(data) => Decoded::Data(data),
                    Part::Trailers(trailers) => Decoded::Trailers(trailers),
                    Part::End => Decoded::End,
                }),
                Err(error) => return Err(self.malformed(error)),
            },
        };
        match decoded {
            Some(decoded) => Ok(decoded),
            None if !eof => Ok(Decoded::More),
            None if matches!(self.0, State::UntilClose) => {
                self.0 = State::Done;
                Ok(Decoded::End)
            }
            None => Err(BodyError::Incomplete),
        }
    }

    /// Takes the end of the body out of `bytes` if it is all that is left of it, so that it is
    /// known as early as can be.
    ///
    /// # Errors
    /// A malformed end.
    pub fn settle(&mut self, bytes: &mut BytesMut) -> Result<(), BodyError> {
        match &mut self.0 {
            State::Chunked(chunked) => match chunked.settle(bytes) {
                Ok(()) => Ok(()),
                Err(error) => Err(self.malformed(error)),
            },
            _ => Ok(()),
        }
    }

    fn malformed(&mut self, error: BodyError) -> BodyError {
        self.0 = State::Malformed;
        error
    }

    /// Whether the end was reached.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.0 {
            State::Done => true,
            State::Chunked(chunked) => chunked.is_done(),
            _ => false,
        }
    }

    /// The bytes of data that are left, where that is known.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        match &self.0 {
            State::Length(left) => Some(*left),
            State::Done => Some(0),
            State::Chunked(chunked) if chunked.is_done() => Some(0),
            _ => None,
        }
    }
}
