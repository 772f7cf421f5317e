//! What a TLS client says first, read without answering it: the name it asks for (SNI) and the
//! protocols it speaks (ALPN).
//!
//! A client's hello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2) may come in several records.
//! Nothing behind it is looked at, and nothing of it is believed that is not well formed: what two
//! readers could understand differently would be routed by one reading and served by the other.

use std::fmt;

use smallvec::SmallVec;

/// The longest client's hello, without the headers of its records. A usual one has 500 to 2,000 bytes.
const LONGEST: usize = 16 * 1024;
/// The most records it may be spread over.
const MOST_RECORDS: usize = 16;
/// The longest fragment in a record (RFC 8446 section 5.1).
const LONGEST_FRAGMENT: usize = 1 << 14;
/// The bytes before a fragment: type, version, length.
const RECORD_HEADER: usize = 5;
/// The bytes before a handshake message: type, length.
const MESSAGE_HEADER: usize = 4;

/// Type of a record: a handshake.
const HANDSHAKE: u8 = 22;
/// Type of a handshake message.
const CLIENT_HELLO: u8 = 1;
/// Extension with the name (RFC 6066 section 3).
const SERVER_NAME: u16 = 0;
/// The only type of name there is.
const HOST_NAME: u8 = 0;
/// Extension with the protocols (RFC 7301 section 3.1).
const ALPN: u16 = 16;
/// The longest name (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;

/// The most bytes that have to be read before it is known what was said.
pub(crate) const MOST_BYTES: usize = LONGEST + MOST_RECORDS * RECORD_HEADER;

/// What a client said first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The name it asks for, in lower case and without a dot at its end. `None` as well where it
    /// is an address, which is not permitted there (RFC 6066 section 3).
    pub(crate) name: Option<Box<str>>,
    /// The protocols it speaks, the ones it likes best first.
    pub(crate) protocols: SmallVec<[Box<[u8]>; 2]>,
}

/// What came is no client's hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotTls(&'static str);

impl fmt::Display for NotTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NotTls {}

/// Reads a client's hello from what has come so far. `None` while it is not complete, which it is or
/// is refused at [`MOST_BYTES`] at the latest.
pub(crate) fn peek(bytes: &[u8]) -> Result<Option<Hello>, NotTls> {
    match gather(bytes)? {
        Some(message) => read_hello(&message).map(Some),
        None => Ok(None),
    }
}

/// The body of the first handshake message, put together from its records.
fn gather(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, NotTls> {
    let mut message = Vec::new();
    for _ in 0..MOST_RECORDS {
        let Some(fragment) = next_fragment(&mut bytes)? else { return Ok(None) };
        message.extend_from_slice(fragment.there);
        let Some(length) = message_length(&message)? else {
            if fragment.whole {
                continue;
            }
            return Ok(None);
        };
        let end = MESSAGE_HEADER + length;
        if message.len() > end || message.len() + fragment.missing > end {
            return Err(NotTls("something is glued to the client's hello"));
        }
        if message.len() == end {
            message.drain(..MESSAGE_HEADER);
            return Ok(Some(message));
        }
        if !fragment.whole {
            return Ok(None);
        }
    }
    Err(NotTls("the client's hello is in too many pieces"))
}

/// What has come of a record's content.
struct Fragment<'a> {
    there: &'a [u8],
    missing: usize,
    whole: bool,
}

/// Takes a record off. `None` where nothing is there yet; what is there is judged at once.
fn next_fragment<'a>(bytes: &mut &'a [u8]) -> Result<Option<Fragment<'a>>, NotTls> {
    let header = &bytes[..bytes.len().min(RECORD_HEADER)];
    if header.first().is_some_and(|kind| *kind != HANDSHAKE) {
        return Err(NotTls("the first record is no handshake"));
    }
    // The version of a record says nothing but that it is one (RFC 8446 section 5.1).
    if header.get(1).is_some_and(|major| *major != 3) {
        return Err(NotTls("the record has an unknown version"));
    }
    let &[_, _, _, high, low] = header else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length == 0 || length > LONGEST_FRAGMENT {
        return Err(NotTls("the record has an impossible length"));
    }
    let rest = &bytes[RECORD_HEADER..];
    let there = &rest[..rest.len().min(length)];
    *bytes = &rest[there.len()..];
    let missing = length - there.len();
    Ok(Some(Fragment { there, missing, whole: missing == 0 }))
}

/// How long the message is without its header, once the header is there.
fn message_length(message: &[u8]) -> Result<Option<usize>, NotTls> {
    if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
        return Err(NotTls("the first message is no client's hello"));
    }
    let Some(&[_, high, middle, low]) = message.first_chunk() else { return Ok(None) };
    let length = u32::from_be_bytes([0, high, middle, low]) as usize;
    if length + MESSAGE_HEADER > LONGEST {
        return Err(NotTls("the client's hello is too long"));
    }
    Ok(Some(length))
}

fn read_hello(message: &[u8]) -> Result<Hello, NotTls> {
    let mut rest = Reader(message);
    // The version, which says nothing since TLS 1.3, but for its major part.
    if rest.take(2)?[0] != 3 {
        return Err(NotTls("the client speaks an unknown version"));
    }
    rest.take(32)?;
    if rest.vector8()?.0.len() > 32 {
        return Err(NotTls("the session has too long a name"));
    }
    let suites = rest.vector16()?.0.len();
    if suites == 0 || suites % 2 != 0 {
        return Err(NotTls("the cipher suites cannot be read"));
    }
    if rest.vector8()?.is_empty() {
        return Err(NotTls("the client has no compression method"));
    }
    let mut hello = Hello::default();
    // Before TLS 1.2 the extensions could be left out.
    if rest.is_empty() {
        return Ok(hello);
    }
    let mut extensions = rest.vector16()?;
    rest.end()?;
    let (mut named, mut alpn) = (false, false);
    while !extensions.is_empty() {
        let kind = extensions.number()?;
        let content = extensions.vector16()?;
        match kind {
            SERVER_NAME => {
                once(&mut named)?;
                hello.name = server_name(content)?;
            }
            ALPN => {
                once(&mut alpn)?;
                hello.protocols = protocols(content)?;
            }
            _ => {}
        }
    }
    Ok(hello)
}

/// No extension may stand there twice (RFC 8446 section 4.2).
fn once(seen: &mut bool) -> Result<(), NotTls> {
    if std::mem::replace(seen, true) {
        return Err(NotTls("an extension stands there twice"));
    }
    Ok(())
}

/// The list holds one name: there is one type of names, and one of each type at most (RFC 6066
/// section 3).
fn server_name(mut content: Reader<'_>) -> Result<Option<Box<str>>, NotTls> {
    let mut list = content.vector16()?;
    content.end()?;
    if list.take(1)?[0] != HOST_NAME {
        return Err(NotTls("the client asks for an unknown type of name"));
    }
    let name = list.vector16()?.0;
    list.end()?;
    let name = name.strip_suffix(b".").unwrap_or(name);
    let text = std::str::from_utf8(name).map_err(|_| NotTls("the name is no host's"))?;
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Ok(None);
    }
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let labels = || text.split('.').all(|label| (1..=63).contains(&label.len()));
    if name.len() > LONGEST_NAME || !name.iter().all(allowed) || !labels() {
        return Err(NotTls("the name is no host's"));
    }
    Ok(Some(text.to_ascii_lowercase().into()))
}

fn protocols(mut content: Reader<'_>) -> Result<SmallVec<[Box<[u8]>; 2]>, NotTls> {
    let mut list = content.vector16()?;
    content.end()?;
    let mut found = SmallVec::new();
    while !list.is_empty() {
        let name = list.vector8()?.0;
        if name.is_empty() {
            return Err(NotTls("a protocol has no name"));
        }
        found.push(name.into());
    }
    if found.is_empty() {
        return Err(NotTls("the list of protocols is empty"));
    }
    Ok(found)
}

/// Takes the parts of a message off its front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], NotTls> {
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or(NotTls("the client's hello is cut short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u16, NotTls> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// What follows a length of one byte.
    fn vector8(&mut self) -> Result<Self, NotTls> {
        let length = self.take(1)?[0];
        self.take(length.into()).map(Self)
    }

    /// What follows a length of two bytes.
    fn vector16(&mut self) -> Result<Self, NotTls> {
        let length = self.number()?;
        self.take(length.into()).map(Self)
    }

    fn end(&self) -> Result<(), NotTls> {
        if self.is_empty() { Ok(()) } else { Err(NotTls("the client's hello has a tail")) }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vector(width: usize, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length[4 - width..], content].concat()
    }

    fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes(), vector(2, content).as_slice()].concat()
    }

    fn sni(name: &[u8]) -> Vec<u8> {
        let entry = [&[HOST_NAME], vector(2, name).as_slice()].concat();
        extension(SERVER_NAME, &vector(2, &entry))
    }

    /// A client's hello, as a message, with these extensions.
    fn message(extensions: &[u8]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend(vector(1, &[9; 32]));
        body.extend(vector(2, &[0x13, 1, 0x13, 2]));
        body.extend(vector(1, &[0]));
        body.extend(vector(2, extensions));
        [&[CLIENT_HELLO], vector(3, &body).as_slice()].concat()
    }

    /// A message in records of so many bytes.
    fn records(message: &[u8], size: usize) -> Vec<u8> {
        let record = |part: &[u8]| [&[HANDSHAKE, 3, 1], vector(2, part).as_slice()].concat();
        message.chunks(size).flat_map(record).collect()
    }

    /// What a client says that asks for `name`.
    pub(in crate::layer4) fn asking_for(name: Option<&str>) -> Vec<u8> {
        let extensions = name.map(|name| sni(name.as_bytes())).unwrap_or_default();
        records(&message(&extensions), LONGEST_FRAGMENT)
    }

    fn name_of(name: &[u8]) -> Result<Option<Box<str>>, NotTls> {
        let found = peek(&records(&message(&sni(name)), LONGEST_FRAGMENT))?;
        Ok(found.expect("it is whole").name)
    }

    #[test]
    fn a_name_and_protocols_are_found() {
        let protocols = [vector(1, b"h2"), vector(1, b"http/1.1")].concat();
        let alpn = extension(ALPN, &vector(2, &protocols));
        let all = [extension(10, &[0, 2, 0, 29]), alpn, sni(b"Shop.Example.")].concat();
        let hello = peek(&records(&message(&all), LONGEST_FRAGMENT)).unwrap().unwrap();
        assert_eq!(hello.name.as_deref(), Some("shop.example"));
        assert_eq!(
            hello.protocols.as_slice(),
            [b"h2".as_slice().into(), b"http/1.1".as_slice().into()]
        );
    }

    #[test]
    fn it_may_come_in_pieces_and_byte_by_byte() {
        let message = message(&sni(b"a.example"));
        for size in [message.len(), 20, 9] {
            let bytes = records(&message, size);
            for end in 0..bytes.len() {
                assert_eq!(peek(&bytes[..end]), Ok(None), "{end} of {} in {size}", bytes.len());
            }
            let hello = peek(&bytes).unwrap().expect("it is whole");
            assert_eq!(hello.name.as_deref(), Some("a.example"));
            // What comes behind it in further records is another matter.
            let more = [bytes.as_slice(), b"\x17\x03\x03anything"].concat();
            assert_eq!(peek(&more).unwrap(), Some(hello));
        }
        assert!(peek(&records(&message, 3)).is_err(), "too many pieces");
    }

    #[test]
    fn without_a_name_there_is_none() {
        assert_eq!(peek(&asking_for(None)).unwrap().unwrap().name, None);
        assert_eq!(name_of(b"192.0.2.1"), Ok(None));
        assert_eq!(name_of(b"::1"), Ok(None));
    }

    #[test]
    fn nonsense_is_refused_as_soon_as_it_shows() {
        for bytes in [
            &b"GET / HTTP/1.1"[..],
            b"S",
            b"\x16\x02",
            b"\x16\x03\x01\x00\x00",
            b"\x16\x03\x01\x40\x01",
            b"\x16\x03\x01\x00\x05\x02",
            b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfd",
            b"\x80\x2e\x01\x03\x01",
        ] {
            assert!(peek(bytes).is_err(), "{bytes:?}");
        }
        // The record says that more comes behind the message.
        let mut glued = asking_for(None);
        glued[4] += 1;
        assert!(peek(&glued).is_err());
        let name = [sni(b"a"), sni(b"b")].concat();
        assert!(peek(&records(&message(&name), LONGEST_FRAGMENT)).is_err(), "two names");
        for name in [&b""[..], b".", b"a..b", b".a", b"a b", b"a\0", b"\xc3\xa4", &[b'a'; 64]] {
            assert!(name_of(name).is_err(), "{name:?}");
        }
        let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(63)].join(".");
        assert!(name_of(long.as_bytes()).is_err());
    }

    #[test]
    fn a_long_one_is_read_and_one_that_is_too_long_is_not_awaited() {
        let padding = |length: usize| [extension(21, &vec![0; length]), sni(b"a")].concat();
        let fits = records(&message(&padding(16_000)), LONGEST_FRAGMENT);
        assert_eq!(peek(&fits).unwrap().unwrap().name.as_deref(), Some("a"));
        let long = records(&message(&padding(17_000)), LONGEST_FRAGMENT);
        assert!(peek(&long[..9]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_is_decided_stays_so(
            at in 0_usize..120, byte: u8, pieces in 9_usize..200,
        ) {
            let mut bytes = records(&message(&sni(b"a.example")), pieces);
            let at = at % bytes.len();
            bytes[at] = byte;
            let whole = peek(&bytes);
            for end in 0..bytes.len() {
                match peek(&bytes[..end]) {
                    Ok(None) => {}
                    early => prop_assert_eq!(&early, &whole),
                }
            }
        }
    }
}
