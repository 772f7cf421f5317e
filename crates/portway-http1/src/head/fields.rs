//! Header lines and trailers.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use httparse::Header;

use crate::{
    body::Framing,
    error::{BodyError, HeadError},
    limits::TRAILER_FIELDS,
};

/// Header lines that are tokenised on the stack. More of them cost an allocation.
const ON_STACK: usize = 64;

/// Space for the lines of a head that is read, none of it filled.
pub(super) struct Space<'b> {
    on_stack: [MaybeUninit<Header<'b>>; ON_STACK],
    on_heap: Vec<MaybeUninit<Header<'b>>>,
}

impl<'b> Space<'b> {
    pub(super) fn new() -> Self {
        Self { on_stack: [const { MaybeUninit::uninit() }; ON_STACK], on_heap: Vec::new() }
    }

    /// Room for so many lines.
    pub(super) fn of(&mut self, lines: usize) -> &mut [MaybeUninit<Header<'b>>] {
        if lines <= ON_STACK {
            return &mut self.on_stack;
        }
        self.on_heap.resize_with(lines, MaybeUninit::uninit);
        &mut self.on_heap
    }
}

/// What header fields say about the message itself, gathered while they are read.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) length: Option<u64>,
    pub(super) chunked: bool,
    pub(super) hosts: u8,
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) upgrade: bool,
    pub(super) expect: bool,
}

impl Facts {
    /// How the body is framed by what was said, if anything was.
    pub(super) fn framing(&self) -> Result<Option<Framing>, HeadError> {
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(HeadError::TwoFramings),
            (true, None) => Ok(Some(Framing::Chunked)),
            (false, Some(length)) => Ok(Some(Framing::Length(length))),
            (false, None) => Ok(None),
        }
    }

    /// Takes note of a field. Returns whether somebody else has a use for it: what `Connection`
    /// says of keeping and closing is between this connection's two ends.
    fn take_note(&mut self, name: &HeaderName, value: &[u8]) -> Result<bool, HeadError> {
        match *name {
            header::CONTENT_LENGTH => {
                let length = parse_length(value).ok_or(HeadError::ContentLength)?;
                if self.length.replace(length).is_some() {
                    return Err(HeadError::ContentLength);
                }
            }
            header::TRANSFER_ENCODING => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(bad_coding(value, self.chunked));
                }
                self.chunked = true;
            }
            header::HOST => self.hosts = self.hosts.saturating_add(1),
            header::CONNECTION => {
                let mut more = false;
                for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    if option.eq_ignore_ascii_case(b"keep-alive") {
                        self.keep_alive = true;
                    } else if option.eq_ignore_ascii_case(b"close") {
                        self.close = true;
                    } else {
                        self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
                        more = true;
                    }
                }
                return Ok(more);
            }
            header::EXPECT => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(HeadError::Expectation);
                }
                self.expect = true;
            }
            _ => {}
        }
        Ok(true)
    }
}

/// `gzip, chunked` frames a body, but by a coding nobody here can take off: that is 501. Anything
/// else is malformed.
fn bad_coding(value: &[u8], chunked_before: bool) -> HeadError {
    let mut codings = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let is_known = |coding: &[u8]| {
        [&b"gzip"[..], b"x-gzip", b"deflate", b"compress", b"x-compress"]
            .iter()
            .any(|known| coding.eq_ignore_ascii_case(known))
    };
    let last = codings.next_back().unwrap_or_default();
    let framed = last.eq_ignore_ascii_case(b"chunked") && !chunked_before;
    if framed && codings.all(is_known) {
        HeadError::UnknownCoding
    } else {
        HeadError::TransferEncoding
    }
}

/// `1*DIGIT` that fits (RFC 9110 section 8.6), also where a length has a sign: a reader to whom a
/// longer one is negative would see another message.
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 20 {
        return None;
    }
    let length = value.iter().try_fold(0_u64, |length, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        length.checked_mul(10)?.checked_add(digit)
    });
    length.filter(|length| i64::try_from(*length).is_ok())
}

/// Header lines as a map whose values are slices of `head`.
pub(super) fn collect(
    head: &Bytes,
    lines: &[Header<'_>],
    facts: &mut Facts,
) -> Result<HeaderMap, HeadError> {
    let mut headers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HeadError::Field)?;
        if !facts.take_note(&name, line.value)? {
            continue;
        }
        let value = HeaderValue::from_maybe_shared(head.slice_ref(line.value))
            .map_err(|_| HeadError::Field)?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// Reads a trailer section: lines, and the empty one behind them. Trailers never merge into the
/// header, and what frames, routes, proves or forwards is dropped (RFC 9110 section 6.5.1).
pub(crate) fn parse_trailers(section: &Bytes) -> Result<HeaderMap, BodyError> {
    let mut lines = [httparse::EMPTY_HEADER; TRAILER_FIELDS];
    let lines = match httparse::parse_headers(section, &mut lines) {
        Ok(httparse::Status::Complete((end, lines))) if end == section.len() => lines,
        Err(httparse::Error::TooManyHeaders) => return Err(BodyError::TooLarge),
        _ => return Err(BodyError::Trailers),
    };
    let mut trailers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| BodyError::Trailers)?;
        if !may_trail(&name) {
            continue;
        }
        let value = HeaderValue::from_maybe_shared(section.slice_ref(line.value))
            .map_err(|_| BodyError::Trailers)?;
        trailers.append(name, value);
    }
    Ok(trailers)
}

/// Writes a trailer section behind the last chunk.
pub(crate) fn encode_trailers(trailers: &HeaderMap, out: &mut BytesMut) {
    for (name, value) in trailers.iter().filter(|(name, _)| may_trail(name)) {
        put_field(out, name.as_str().as_bytes(), value.as_bytes());
    }
}

/// Whether a field may stand behind a body: none that frames, routes, authenticates, forwards,
/// conditions or controls (RFC 9110 section 6.5.1).
fn may_trail(name: &HeaderName) -> bool {
    let name = name.as_str();
    !matches!(
        name,
        "age"
            | "authorization"
            | "cache-control"
            | "connection"
            | "content-encoding"
            | "content-length"
            | "content-range"
            | "content-type"
            | "cookie"
            | "date"
            | "expect"
            | "expires"
            | "forwarded"
            | "host"
            | "http2-settings"
            | "keep-alive"
            | "location"
            | "max-forwards"
            | "origin"
            | "pragma"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "range"
            | "referer"
            | "retry-after"
            | "set-cookie"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "vary"
            | "via"
            | "warning"
            | "www-authenticate"
            | "x-real-ip"
            | "x-request-id"
    ) && !name.starts_with("x-forwarded-")
        && !name.starts_with("if-")
}

/// Header lines, encoded once to be sent many times.
#[derive(Clone, Debug, Default)]
pub struct FieldLines(BytesMut);

impl FieldLines {
    /// Appends a line.
    pub fn push(&mut self, name: &HeaderName, value: &HeaderValue) {
        put_field(&mut self.0, name.as_str().as_bytes(), value.as_bytes());
    }

    /// The lines, read again.
    fn iter(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        self.as_bytes().split(|&byte| byte == b'\n').filter_map(|line| {
            let line = line.strip_suffix(b"\r")?;
            let colon = line.iter().position(|&byte| byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
        })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Where header lines are added to a head that is being written, or to a map.
pub struct FieldWriter<'a>(Sink<'a>);

enum Sink<'a> {
    Lines(&'a mut BytesMut),
    Map(&'a mut HeaderMap),
}

/// Adds header lines to a head that is being written. `Content-Length` and `Transfer-Encoding`
/// are not for it to add.
pub type MoreFields<'a> = &'a (dyn Fn(&mut FieldWriter<'_>) + Send + Sync);

impl<'a> FieldWriter<'a> {
    pub(super) fn lines(out: &'a mut BytesMut) -> Self {
        Self(Sink::Lines(out))
    }

    /// Adds the lines to a map, for another version of HTTP. `Connection` concerns this one only
    /// and is left out (RFC 9113 section 8.2.2).
    pub fn map(headers: &'a mut HeaderMap) -> Self {
        Self(Sink::Map(headers))
    }

    /// Adds a line.
    pub fn push(&mut self, name: &HeaderName, value: &HeaderValue) {
        match &mut self.0 {
            Sink::Lines(out) => put_field(out, name.as_str().as_bytes(), value.as_bytes()),
            Sink::Map(_) if *name == header::CONNECTION => {}
            Sink::Map(headers) => {
                headers.append(name, value.clone());
            }
        }
    }

    /// Adds lines that were encoded before.
    pub fn extend(&mut self, lines: &FieldLines) {
        match &mut self.0 {
            Sink::Lines(out) => out.extend_from_slice(&lines.0),
            Sink::Map(headers) => {
                for (name, value) in lines.iter() {
                    headers.append(name, value);
                }
            }
        }
    }
}

impl std::fmt::Debug for FieldWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FieldWriter")
    }
}

/// `name: value` and CRLF.
pub(super) fn put_field(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
