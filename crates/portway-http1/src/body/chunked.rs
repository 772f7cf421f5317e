//! Chunks (RFC 9112 section 7.1), byte by byte but for their data.

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;

use crate::{
    error::BodyError,
    head::{find_lf, parse_trailers},
    limits::{CHUNK_EXTENSION_BYTES, TRAILER_BYTES},
};

/// What a chunk's size may have: a `u64`.
const MAX_DIGITS: u8 = 16;

/// Where in the coding the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the size, this many digits read.
    Size(u8),
    /// Behind the size, in extensions.
    Extension(Extension),
    /// At the LF behind the size line.
    SizeEnd,
    /// In the data.
    Data,
    /// At the CR behind the data.
    DataEnd,
    /// At the LF behind the data.
    DataEndLf,
    /// In the trailer section.
    Trailers,
    /// At the end.
    End,
}

/// `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`, which nobody wants, but two
/// readers must agree on where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    /// White space before a semicolon.
    Before,
    /// Behind a semicolon.
    NameStart,
    Name,
    /// White space behind a name.
    NameEnd,
    /// Behind `=`.
    ValueStart,
    Token,
    Quoted,
    /// Behind a backslash.
    Escaped,
    /// Behind a closing quote.
    QuotedEnd,
}

/// Decodes chunks.
#[derive(Clone, Debug)]
pub(super) struct Chunked {
    place: Place,
    /// The data left in the chunk; while its size is read, the size so far.
    left: u64,
    extension_bytes: usize,
    /// How much of a trailer section has been looked at.
    scanned: usize,
}

/// A part of the coding.
pub(super) enum Part {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self { place: Place::Size(0), left: 0, extension_bytes: 0, scanned: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.place == Place::End
    }

    /// The next part of what has come. `None`: more has to come.
    pub(super) fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Part>, BodyError> {
        loop {
            match self.place {
                Place::End => return Ok(Some(Part::End)),
                Place::Trailers => return self.decode_trailers(bytes),
                Place::Data if bytes.is_empty() => return Ok(None),
                Place::Data => {
                    let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                    self.left -= here as u64;
                    if self.left == 0 {
                        self.place = Place::DataEnd;
                    }
                    return Ok(Some(Part::Data(bytes.split_to(here).freeze())));
                }
                _ => {
                    let Some(&byte) = bytes.first() else { return Ok(None) };
                    bytes.advance(1);
                    self.place = self.step(byte)?;
                }
            }
        }
    }

    /// Goes on to the end as far as it has come already, if only the end is left.
    pub(super) fn settle(&mut self, bytes: &mut BytesMut) -> Result<(), BodyError> {
        while !matches!(self.place, Place::Data | Place::Trailers | Place::End) {
            let Some(&byte) = bytes.first() else { return Ok(()) };
            bytes.advance(1);
            self.place = self.step(byte)?;
        }
        if self.place == Place::Trailers && bytes.starts_with(b"\r\n") {
            bytes.advance(2);
            self.place = Place::End;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<Place, BodyError> {
        Ok(match (self.place, byte) {
            (Place::Size(digits), _) if byte.is_ascii_hexdigit() => self.digit(digits, byte)?,
            (Place::Size(1..), b'\r') => Place::SizeEnd,
            (Place::Size(1..), b';') => Place::Extension(Extension::NameStart),
            (Place::Size(1..), b' ' | b'\t') => Place::Extension(Extension::Before),
            (Place::Extension(at), _) => self.extension(at, byte)?,
            (Place::SizeEnd, b'\n') if self.left == 0 => Place::Trailers,
            (Place::SizeEnd, b'\n') => Place::Data,
            (Place::DataEnd, b'\r') => Place::DataEndLf,
            (Place::DataEndLf, b'\n') => Place::Size(0),
            _ => return Err(BodyError::Chunk),
        })
    }

    fn digit(&mut self, digits: u8, byte: u8) -> Result<Place, BodyError> {
        if digits == MAX_DIGITS {
            return Err(BodyError::Chunk);
        }
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => byte - b'A' + 10,
        };
        self.left = self.left << 4 | u64::from(value);
        Ok(Place::Size(digits + 1))
    }

    fn extension(&mut self, at: Extension, byte: u8) -> Result<Place, BodyError> {
        self.extension_bytes += 1;
        if self.extension_bytes > CHUNK_EXTENSION_BYTES {
            return Err(BodyError::TooLarge);
        }
        let next = match (at, byte) {
            // Only a whole extension may stand before the end of the line.
            (Extension::Name | Extension::Token | Extension::QuotedEnd, b'\r') => {
                return Ok(Place::SizeEnd);
            }
            (Extension::Quoted, b'"') => Extension::QuotedEnd,
            (Extension::Quoted, b'\\') => Extension::Escaped,
            (Extension::Quoted | Extension::Escaped, _) if is_text(byte) => Extension::Quoted,
            (Extension::ValueStart, b'"') => Extension::Quoted,
            (Extension::NameStart | Extension::Name, _) if is_token(byte) => Extension::Name,
            (Extension::ValueStart | Extension::Token, _) if is_token(byte) => Extension::Token,
            (Extension::Name | Extension::NameEnd, b'=') => Extension::ValueStart,
            (Extension::Name | Extension::NameEnd, b' ' | b'\t') => Extension::NameEnd,
            (Extension::NameStart | Extension::ValueStart, b' ' | b'\t') => at,
            (Extension::Before | Extension::Token | Extension::QuotedEnd, b' ' | b'\t') => {
                Extension::Before
            }
            (
                Extension::Before
                | Extension::Name
                | Extension::NameEnd
                | Extension::Token
                | Extension::QuotedEnd,
                b';',
            ) => Extension::NameStart,
            _ => return Err(BodyError::Chunk),
        };
        Ok(Place::Extension(next))
    }

    fn decode_trailers(&mut self, bytes: &mut BytesMut) -> Result<Option<Part>, BodyError> {
        if bytes.starts_with(b"\r\n") {
            bytes.advance(2);
            self.place = Place::End;
            return Ok(Some(Part::End));
        }
        while let Some(found) = find_lf(&bytes[self.scanned..]) {
            let end = self.scanned + found;
            if end == 0 || bytes[end - 1] != b'\r' {
                return Err(BodyError::Trailers);
            }
            self.scanned = end + 1;
            if bytes[..end - 1].ends_with(b"\r\n") {
                if end > TRAILER_BYTES {
                    return Err(BodyError::TooLarge);
                }
                let section = bytes.split_to(end + 1).freeze();
                self.place = Place::End;
                return parse_trailers(&section).map(|trailers| Some(Part::Trailers(trailers)));
            }
        }
        self.scanned = bytes.len();
        if bytes.len() > TRAILER_BYTES { Err(BodyError::TooLarge) } else { Ok(None) }
    }
}

/// `qdtext` and what may be escaped: visible, blank or beyond ASCII.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// `tchar` (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
