//! Where a message ends: the least reading of a head that answers this, and a counter that walks
//! over the body's bytes. It never changes a byte and accepts whatever it can delimit.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Request, Response, Status};

/// More header fields than this and the message is refused.
const MAX_HEADERS: usize = 64;

/// What the floor knows about a message once its head is complete.
pub(crate) struct Head {
    /// Bytes of the head, with the empty line.
    pub(crate) len: usize,
    /// How the body ends.
    pub(crate) body: Body,
    /// Whether the connection may carry another message afterwards.
    pub(crate) keep_alive: bool,
}

/// A request's head, with what the answer's framing depends on.
pub(crate) struct RequestHead {
    pub(crate) head: Head,
    /// A `HEAD` request: its answer has no body whatever it says.
    pub(crate) is_head: bool,
}

/// A response's head.
pub(crate) struct ResponseHead {
    pub(crate) head: Head,
    /// A 1xx answer: the real one follows.
    pub(crate) interim: bool,
}

/// A head that httparse refuses, or lengths that are no numbers.
#[derive(Debug)]
pub(crate) struct Malformed;

/// The rest of a body, counted down as its bytes pass.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes are left.
    Length(u64),
    /// Chunked coding.
    Chunked(Chunk),
    /// The body ends with the connection.
    UntilClose,
}

/// The place inside a chunked body.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// In a chunk's size; the value so far.
    Size(u64),
    /// Behind the size, before the line's end; the size.
    Extension(u64),
    /// In the data or the CR LF behind it; bytes left.
    Data(u64),
    /// In a trailer line; whether the line has any byte yet.
    Trailer { empty: bool },
    /// Behind the last empty line.
    End,
}

/// Reads a request head; `None` when it is not complete yet.
pub(crate) fn request(bytes: &[u8]) -> Result<Option<RequestHead>, Malformed> {
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; MAX_HEADERS];
    let mut request = Request::new(&mut []);
    let status =
        ParserConfig::default().parse_request_with_uninit_headers(&mut request, bytes, &mut fields);
    let Status::Complete(len) = status.map_err(|_| Malformed)? else { return Ok(None) };
    let lengths = Lengths::of(request.headers)?;
    let keep_alive = lengths.keep_alive(request.version);
    let body = lengths.body.unwrap_or(Body::Length(0));
    let is_head = request.method == Some("HEAD");
    Ok(Some(RequestHead { head: Head { len, body, keep_alive }, is_head }))
}

/// Reads a response head; `None` when it is not complete yet.
pub(crate) fn response(bytes: &[u8], to_head: bool) -> Result<Option<ResponseHead>, Malformed> {
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; MAX_HEADERS];
    let mut response = Response::new(&mut []);
    let status = ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut fields,
    );
    let Status::Complete(len) = status.map_err(|_| Malformed)? else { return Ok(None) };
    let lengths = Lengths::of(response.headers)?;
    let code = response.code.unwrap_or_default();
    let interim = (100..200).contains(&code);
    let keep_alive = lengths.keep_alive(response.version);
    let body = if to_head || interim || code == 204 || code == 304 {
        Body::Length(0)
    } else {
        lengths.body.unwrap_or(Body::UntilClose)
    };
    let keep_alive = keep_alive && !matches!(body, Body::UntilClose);
    Ok(Some(ResponseHead { head: Head { len, body, keep_alive }, interim }))
}

/// The three header fields that say where a message ends and what comes after it.
struct Lengths {
    body: Option<Body>,
    close: bool,
    keep: bool,
}

impl Lengths {
    fn of(fields: &[Header<'_>]) -> Result<Self, Malformed> {
        let mut lengths = Self { body: None, close: false, keep: false };
        for field in fields {
            // The length of a name rules out almost every field before any letter is compared.
            match field.name.len() {
                10 if field.name.eq_ignore_ascii_case("connection") => {
                    lengths.close |= field.value.eq_ignore_ascii_case(b"close");
                    lengths.keep |= field.value.eq_ignore_ascii_case(b"keep-alive");
                }
                14 if field.name.eq_ignore_ascii_case("content-length")
                    && !matches!(lengths.body, Some(Body::Chunked(_))) =>
                {
                    lengths.body = Some(Body::Length(number(field.value)?));
                }
                17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                    lengths.body = Some(Body::Chunked(Chunk::Size(0)));
                }
                _ => {}
            }
        }
        Ok(lengths)
    }

    fn keep_alive(&self, version: Option<u8>) -> bool {
        !self.close && (version == Some(1) || self.keep)
    }
}

impl Body {
    /// Walks over `bytes` and says how many of them belong to this body.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        match self {
            Self::Length(left) => {
                let taken =
                    usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunked(place) => place.take(bytes),
            Self::UntilClose => Ok(bytes.len()),
        }
    }

    /// Whether the last byte has passed; a body that ends with the connection never is.
    pub(crate) fn done(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::End))
    }
}

impl Chunk {
    fn take(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut at = 0;
        while at < bytes.len() {
            if let Self::Data(left) = self {
                let rest = bytes.len() - at;
                let taken = usize::try_from(*left).map_or(rest, |left| left.min(rest));
                at += taken;
                *left -= taken as u64;
                if *left == 0 {
                    *self = Self::Size(0);
                }
                continue;
            }
            if matches!(self, Self::End) {
                break;
            }
            self.step(bytes[at])?;
            at += 1;
        }
        Ok(at)
    }

    /// One byte outside of chunk data.
    fn step(&mut self, byte: u8) -> Result<(), Malformed> {
        *self = match *self {
            Self::Size(size) => match (char::from(byte).to_digit(16), byte) {
                (Some(digit), _) => Self::Size(
                    size.checked_mul(16)
                        .and_then(|size| size.checked_add(digit.into()))
                        .ok_or(Malformed)?,
                ),
                (None, b'\n') => Self::after_size(size),
                (None, _) => Self::Extension(size),
            },
            Self::Extension(size) if byte == b'\n' => Self::after_size(size),
            Self::Trailer { empty: true } if byte == b'\n' => Self::End,
            Self::Trailer { .. } if byte == b'\n' => Self::Trailer { empty: true },
            Self::Trailer { empty } => Self::Trailer { empty: empty && byte == b'\r' },
            Self::Extension(size) => Self::Extension(size),
            Self::Data(left) => Self::Data(left),
            Self::End => Self::End,
        };
        Ok(())
    }

    fn after_size(size: u64) -> Self {
        if size == 0 {
            return Self::Trailer { empty: true };
        }
        // The CR LF behind the data is counted with it.
        Self::Data(size.saturating_add(2))
    }
}

fn number(digits: &[u8]) -> Result<u64, Malformed> {
    str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::{Body, Chunk, request, response};

    /// Feeds `bytes` in pieces of `piece` and returns how many the body took.
    fn walk(mut body: Body, bytes: &[u8], piece: usize) -> (usize, bool) {
        let mut taken = 0;
        for part in bytes.chunks(piece) {
            taken += body.take(part).expect("well-formed body");
        }
        (taken, body.done())
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        let chunked = b"4;name=value\r\nab\r\n\r\n1A\r\n0123456789abcdefghijklmnop\r\n0\r\n\
            Sum: 1\r\n\r\n";
        let rest = b"GET / HTTP/1.1";
        let bytes = [chunked.as_slice(), rest].concat();
        for piece in 1..=bytes.len() {
            let chunks = Body::Chunked(Chunk::Size(0));
            assert_eq!(walk(chunks, &bytes, piece), (chunked.len(), true), "pieces of {piece}");
            assert_eq!(walk(Body::Length(9), &bytes, piece), (9, true), "pieces of {piece}");
            assert_eq!(walk(Body::UntilClose, &bytes, piece), (bytes.len(), false));
        }
        assert!(Body::Chunked(Chunk::Size(0)).take(b"fffffffffffffffff").is_err());
    }

    #[test]
    fn a_head_tells_its_length_and_framing() {
        let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET";
        let read = request(get).expect("well-formed").expect("complete");
        assert_eq!((read.head.len, read.head.body.done()), (get.len() - 3, true));
        assert!(read.head.keep_alive);
        assert!(request(&get[..20]).expect("so far well-formed").is_none());
        assert!(request(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n").is_err());

        // The answer, whether it was for HEAD, whether its body is done, whether it keeps alive.
        let cases: &[(&[u8], bool, bool, bool)] = &[
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false, false, true),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, true, true),
            (b"HTTP/1.1 204 No Content\r\n\r\n", false, true, true),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, false, true),
            (b"HTTP/1.1 200 OK\r\n\r\n", false, false, false),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", false, false, false),
            (b"HTTP/1.1 204 No\r\nConnection: Close\r\n\r\n", false, true, false),
        ];
        for &(bytes, to_head, done, keep_alive) in cases {
            let read = response(bytes, to_head).expect("well-formed").expect("complete");
            let head = read.head;
            let text = String::from_utf8_lossy(bytes);
            assert_eq!((head.body.done(), head.keep_alive), (done, keep_alive), "{text:?}");
        }
    }
}
