//! One frame of HTTP/2 (RFC 9113, section 4.1): nine octets and a payload.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

/// What a client sends first (RFC 9113, section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The types of frames (RFC 9113, section 6).
pub mod kind {
    /// Bytes of a body.
    pub const DATA: u8 = 0;
    /// The fields of a head or of trailers, or their beginning.
    pub const HEADERS: u8 = 1;
    /// The obsolete priority of a stream.
    pub const PRIORITY: u8 = 2;
    /// The end of a stream, at once.
    pub const RST_STREAM: u8 = 3;
    /// Settings, or the word that they were read.
    pub const SETTINGS: u8 = 4;
    /// A request that nobody has made.
    pub const PUSH_PROMISE: u8 = 5;
    /// A question whether the peer is there, or the answer.
    pub const PING: u8 = 6;
    /// No more streams are taken.
    pub const GOAWAY: u8 = 7;
    /// Room for more bytes.
    pub const WINDOW_UPDATE: u8 = 8;
    /// More fields of a head.
    pub const CONTINUATION: u8 = 9;
}

/// The flags of frames.
pub mod flag {
    /// Of `SETTINGS` and `PING`: the answer to one.
    pub const ACK: u8 = 0x1;
    /// Of `DATA` and `HEADERS`: the last of its stream, but for `CONTINUATION`.
    pub const END_STREAM: u8 = 0x1;
    /// Of `HEADERS` and `CONTINUATION`: all fields are there.
    pub const END_HEADERS: u8 = 0x4;
    /// Of `DATA` and `HEADERS`: the first octet is the length of the padding at the end.
    pub const PADDED: u8 = 0x8;
    /// Of `HEADERS`: five octets of priority come before the fields.
    pub const PRIORITY: u8 = 0x20;
}

/// The names of settings (RFC 9113, section 6.5.2; RFC 8441, section 3).
pub mod setting {
    /// How much the peer may remember of earlier fields.
    pub const HEADER_TABLE_SIZE: u16 = 1;
    /// Whether the peer may push.
    pub const ENABLE_PUSH: u16 = 2;
    /// How many streams the peer may have open.
    pub const MAX_CONCURRENT_STREAMS: u16 = 3;
    /// How many bytes the peer may send on a new stream.
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
    /// How long a frame of the peer may be.
    pub const MAX_FRAME_SIZE: u16 = 5;
    /// How long a list of fields should be at most.
    pub const MAX_HEADER_LIST_SIZE: u16 = 6;
    /// Whether a stream may become a tunnel for another protocol.
    pub const ENABLE_CONNECT_PROTOCOL: u16 = 8;
}

/// The codes with which streams and connections end (RFC 9113, section 7).
pub mod code {
    /// All is well.
    pub const NO_ERROR: u32 = 0;
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: u32 = 1;
    /// Something went wrong here.
    pub const INTERNAL_ERROR: u32 = 2;
    /// The peer sent more than there was room for.
    pub const FLOW_CONTROL_ERROR: u32 = 3;
    /// Settings were not acknowledged in time.
    pub const SETTINGS_TIMEOUT: u32 = 4;
    /// A frame on a stream that was closed.
    pub const STREAM_CLOSED: u32 = 5;
    /// A frame of a length it cannot have.
    pub const FRAME_SIZE_ERROR: u32 = 6;
    /// The request was not looked at and may be sent again.
    pub const REFUSED_STREAM: u32 = 7;
    /// The stream is not needed any more.
    pub const CANCEL: u32 = 8;
    /// Fields that cannot be decoded.
    pub const COMPRESSION_ERROR: u32 = 9;
    /// The connection of a `CONNECT` broke.
    pub const CONNECT_ERROR: u32 = 10;
    /// The peer asks for more than is reasonable.
    pub const ENHANCE_YOUR_CALM: u32 = 11;
    /// TLS is not good enough.
    pub const INADEQUATE_SECURITY: u32 = 12;
    /// This is for HTTP/1.1.
    pub const HTTP_1_1_REQUIRED: u32 = 13;
}

/// One frame, right or wrong: nothing of it is checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The type, one of [`kind`].
    pub kind: u8,
    /// The flags, of [`flag`].
    pub flags: u8,
    /// The stream, or 0 for the connection.
    pub stream: u32,
    /// What is in it. Its length is the length of the frame.
    pub payload: Bytes,
}

impl Frame {
    /// A frame of any type, flags and content.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Bytes>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// `SETTINGS` with these names and values.
    #[must_use]
    pub fn settings(settings: &[(u16, u32)]) -> Self {
        let mut payload = Vec::with_capacity(settings.len() * 6);
        for (name, value) in settings {
            payload.extend_from_slice(&name.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        Self::new(kind::SETTINGS, 0, 0, payload)
    }

    /// The word that the peer's `SETTINGS` were read.
    #[must_use]
    pub fn settings_ack() -> Self {
        Self::new(kind::SETTINGS, flag::ACK, 0, Bytes::new())
    }

    /// `HEADERS` with a whole block of fields, such as [`fields`](super::fields) makes.
    pub fn headers(stream: u32, block: impl Into<Bytes>) -> Self {
        Self::new(kind::HEADERS, flag::END_HEADERS, stream, block)
    }

    /// `CONTINUATION` with more of a block, but not its end.
    pub fn continuation(stream: u32, block: impl Into<Bytes>) -> Self {
        Self::new(kind::CONTINUATION, 0, stream, block)
    }

    /// `DATA` with bytes of a body, but not its end.
    pub fn data(stream: u32, bytes: impl Into<Bytes>) -> Self {
        Self::new(kind::DATA, 0, stream, bytes)
    }

    /// `RST_STREAM` with one of the [`code`]s.
    #[must_use]
    pub fn rst_stream(stream: u32, code: u32) -> Self {
        Self::new(kind::RST_STREAM, 0, stream, code.to_be_bytes().to_vec())
    }

    /// `PING` with eight octets.
    #[must_use]
    pub fn ping(octets: [u8; 8]) -> Self {
        Self::new(kind::PING, 0, 0, octets.to_vec())
    }

    /// `GOAWAY`: streams above `last` were not looked at.
    #[must_use]
    pub fn goaway(last: u32, code: u32) -> Self {
        Self::new(kind::GOAWAY, 0, 0, [last.to_be_bytes(), code.to_be_bytes()].concat())
    }

    /// `WINDOW_UPDATE`: room for so many bytes more, on a stream or with 0 on the connection.
    #[must_use]
    pub fn window_update(stream: u32, increment: u32) -> Self {
        Self::new(kind::WINDOW_UPDATE, 0, stream, increment.to_be_bytes().to_vec())
    }

    /// `PRIORITY`: the stream depends on another, with a weight.
    #[must_use]
    pub fn priority(stream: u32, on: u32, weight: u8) -> Self {
        let payload = [&on.to_be_bytes()[..], &[weight]].concat();
        Self::new(kind::PRIORITY, 0, stream, payload)
    }

    /// The same with more flags.
    #[must_use]
    pub fn with(self, flags: u8) -> Self {
        Self { flags: self.flags | flags, ..self }
    }

    /// The same as the last of its stream. Only for `DATA` and `HEADERS`.
    #[must_use]
    pub fn end(self) -> Self {
        self.with(flag::END_STREAM)
    }

    /// The same without `END_HEADERS`: `CONTINUATION` is to follow.
    #[must_use]
    pub fn unfinished(self) -> Self {
        Self { flags: self.flags & !flag::END_HEADERS, ..self }
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether it is `DATA` or `HEADERS` that end their stream.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.has(flag::END_STREAM)
    }

    /// The code of a `RST_STREAM` or `GOAWAY`.
    #[must_use]
    pub fn error_code(&self) -> Option<u32> {
        match self.kind {
            kind::RST_STREAM => number(&self.payload, 0),
            kind::GOAWAY => number(&self.payload, 4),
            _ => None,
        }
    }

    /// The last stream of a `GOAWAY`.
    #[must_use]
    pub fn last_stream(&self) -> Option<u32> {
        (self.kind == kind::GOAWAY).then(|| number(&self.payload, 0)).flatten()
    }

    /// The names and values in `SETTINGS`, in order.
    #[must_use]
    pub fn settings_list(&self) -> Vec<(u16, u32)> {
        let mut pieces = self.payload.chunks_exact(6);
        let read = |mut piece: &[u8]| (piece.get_u16(), piece.get_u32());
        if self.kind == kind::SETTINGS { pieces.by_ref().map(read).collect() } else { Vec::new() }
    }

    /// The frame as it stands on the wire. A payload of 16 MiB or more has no length there; its
    /// length is cut to the lower 24 bits.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let length = (self.payload.len() & 0xff_ffff).to_be_bytes();
        let mut bytes = Vec::with_capacity(9 + self.payload.len());
        bytes.extend_from_slice(&length[length.len() - 3..]);
        bytes.extend_from_slice(&[self.kind, self.flags]);
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Takes the first frame out of what was read, if all of it is there.
    pub(super) fn take(buffer: &mut BytesMut) -> Option<Self> {
        let mut head = buffer.get(..9)?;
        let length = usize::try_from(head.get_uint(3)).ok()?;
        let (kind, flags, stream) = (head.get_u8(), head.get_u8(), head.get_u32() & 0x7fff_ffff);
        if buffer.len() < 9 + length {
            return None;
        }
        buffer.advance(9);
        Some(Self { kind, flags, stream, payload: buffer.split_to(length).freeze() })
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 10] = [
            "DATA",
            "HEADERS",
            "PRIORITY",
            "RST_STREAM",
            "SETTINGS",
            "PUSH_PROMISE",
            "PING",
            "GOAWAY",
            "WINDOW_UPDATE",
            "CONTINUATION",
        ];
        match NAMES.get(usize::from(self.kind)) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "type {}", self.kind)?,
        }
        write!(f, " stream {} flags {:#x}", self.stream, self.flags)?;
        match self.error_code() {
            Some(code) => write!(f, " code {code}"),
            None => write!(f, " length {}", self.payload.len()),
        }
    }
}

/// The number of 32 bits at a place, if it is there.
fn number(payload: &[u8], at: usize) -> Option<u32> {
    payload.get(at..at + 4).map(|mut octets| octets.get_u32())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_was_sent() {
        let frames = [
            Frame::settings(&[(setting::MAX_CONCURRENT_STREAMS, 1), (0xf00, 7)]),
            Frame::headers(1, "block").unfinished().end(),
            Frame::goaway(3, code::ENHANCE_YOUR_CALM),
            Frame::new(200, 0xff, 5, vec![0; 70_000]),
        ];
        let mut wire = BytesMut::new();
        wire.extend(frames.iter().flat_map(Frame::encode));
        let last = wire.split_off(wire.len() - 1);
        for frame in &frames[..3] {
            assert_eq!(Frame::take(&mut wire).as_ref(), Some(frame));
        }
        assert_eq!(Frame::take(&mut wire), None);
        wire.unsplit(last);
        assert_eq!(Frame::take(&mut wire).as_ref(), Some(&frames[3]));
        assert!(wire.is_empty());

        assert_eq!(frames[0].settings_list(), [(3, 1), (0xf00, 7)]);
        assert_eq!((frames[1].flags, frames[1].is_end()), (flag::END_STREAM, true));
        assert_eq!((frames[2].last_stream(), frames[2].error_code()), (Some(3), Some(11)));
        assert_eq!(format!("{:?}", frames[2]), "GOAWAY stream 0 flags 0x0 code 11");
    }
}
