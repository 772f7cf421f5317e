//! Version 1: a line of text.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use bytes::{Bytes, BytesMut};

use super::{Addresses, Header, Invalid, Origin, Transport};

/// What every line begins with.
pub(super) const BEGINNING: &[u8] = b"PROXY ";

/// The longest line, with its end: `UNKNOWN`, two IPv6 addresses and two ports.
const MAX_LINE: usize = 107;

/// Reads a line. `None`: its end is not there yet.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Header>, Invalid> {
    let within = &bytes[..bytes.len().min(MAX_LINE)];
    let unfinished = match within.len() {
        MAX_LINE => Err(Invalid::TooLong),
        _ => Ok(None),
    };
    let Some(end) = within.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return unfinished;
    };
    match &within[end..] {
        [b'\r'] => return unfinished,
        [b'\r', b'\n', ..] => {}
        _ => return Err(Invalid::Line),
    }
    let line = within[..end].strip_prefix(BEGINNING).ok_or(Invalid::Line)?;
    Ok(Some(Header { origin: origin(line)?, length: end + 2 }))
}

/// What stands between `PROXY ` and the end of the line.
fn origin(line: &[u8]) -> Result<Origin, Invalid> {
    // Behind UNKNOWN anything may stand, and none of it counts.
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        return Ok(Origin::Unknown);
    }
    let line = str::from_utf8(line).map_err(|_| Invalid::Line)?;
    let mut words = line.split(' ');
    let mut word = || words.next().ok_or(Invalid::Line);
    let ip = match word()? {
        "TCP4" => |word| address::<Ipv4Addr>(word),
        "TCP6" => |word| address::<Ipv6Addr>(word),
        _ => return Err(Invalid::Line),
    };
    let (from, to) = (ip(word()?)?, ip(word()?)?);
    let source = SocketAddr::new(from, port(word()?)?);
    let destination = SocketAddr::new(to, port(word()?)?);
    match words.next() {
        Some(_) => Err(Invalid::Line),
        None => Ok(Origin::Ip(Addresses::new(source, destination, Transport::Stream))),
    }
}

/// The standard library refuses leading zeros in IPv4, which some read as octal, and zones in IPv6.
fn address<A: FromStr + Into<IpAddr>>(word: &str) -> Result<IpAddr, Invalid> {
    word.parse().map(A::into).map_err(|_| Invalid::Line)
}

/// Digits alone, without a sign or a zero in front.
fn port(word: &str) -> Result<u16, Invalid> {
    let plain = word.bytes().all(|byte| byte.is_ascii_digit());
    let padded = word.len() > 1 && word.starts_with('0');
    word.parse().ok().filter(|_| plain && !padded).ok_or(Invalid::Line)
}

/// Writes a line.
pub(super) fn encode(addresses: Option<&Addresses>) -> Bytes {
    let streams = addresses.filter(|addresses| addresses.transport == Transport::Stream);
    let Some(addresses) = streams else {
        return Bytes::from_static(b"PROXY UNKNOWN\r\n");
    };
    let (from, to) = addresses.in_one_family();
    let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from_port, to_port) = (addresses.source.port(), addresses.destination.port());
    let mut line = BytesMut::with_capacity(MAX_LINE);
    write!(line, "PROXY {family} {from} {to} {from_port} {to_port}\r\n")
        .expect("a buffer that grows takes every text");
    line.freeze()
}
