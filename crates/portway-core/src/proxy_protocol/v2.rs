//! Version 2: a binary header, with fields behind the addresses.

use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

use super::{Addresses, Header, Invalid, MAX_LENGTH, Origin, Transport, crc32c::crc32c};

/// What every header begins with, chosen so that no other protocol does.
pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, version and command, family and transport, and the length of the rest.
const FIXED: usize = 16;

/// Twice the path of a Unix domain socket.
const UNIX_ADDRESSES: usize = 216;

/// The type of the field that holds the checksum of the header.
const CHECKSUM: u8 = 0x03;

/// Reads a header. `None`: there is more of it to come.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Header>, Invalid> {
    let Some(&version_command) = bytes.get(SIGNATURE.len()) else { return Ok(None) };
    if version_command >> 4 != 2 {
        return Err(Invalid::Version);
    }
    let local = match version_command & 0x0f {
        0 => true,
        1 => false,
        _ => return Err(Invalid::Command),
    };
    let Some(&[family, high, low]) = bytes.get(13..FIXED) else { return Ok(None) };
    let length = FIXED + usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_LENGTH {
        return Err(Invalid::TooLong);
    }
    let Some(header) = bytes.get(..length) else { return Ok(None) };
    // Of a LOCAL header all the rest is to be discarded, the family too.
    let origin = if local { Origin::Local } else { origin(family, header)? };
    Ok(Some(Header { origin, length }))
}

fn origin(family: u8, header: &[u8]) -> Result<Origin, Invalid> {
    let transport = match family & 0x0f {
        0 => None,
        1 => Some(Transport::Stream),
        2 => Some(Transport::Datagram),
        _ => return Err(Invalid::Family),
    };
    let rest = &header[FIXED..];
    let (origin, taken) = match (family >> 4, transport) {
        // Nobody can say how long the addresses are, so where the fields begin.
        (0, _) | (1..=3, None) => return Ok(Origin::Unknown),
        (1, Some(transport)) => (Origin::Ip(pair::<4>(rest, transport)?), 12),
        (2, Some(transport)) => (Origin::Ip(pair::<16>(rest, transport)?), 36),
        (3, Some(_)) => (Origin::Unix, UNIX_ADDRESSES),
        _ => return Err(Invalid::Family),
    };
    let fields = rest.get(taken..).ok_or(Invalid::Addresses)?;
    check_fields(fields, header)?;
    Ok(origin)
}

/// Two addresses of `N` bytes, then two ports.
fn pair<const N: usize>(bytes: &[u8], transport: Transport) -> Result<Addresses, Invalid>
where
    IpAddr: From<[u8; N]>,
{
    let short = Invalid::Addresses;
    let (from, rest) = bytes.split_first_chunk::<N>().ok_or(short)?;
    let (to, rest) = rest.split_first_chunk::<N>().ok_or(short)?;
    let (&from_port, rest) = rest.split_first_chunk().ok_or(short)?;
    let &to_port = rest.first_chunk().ok_or(short)?;
    let source = SocketAddr::new((*from).into(), u16::from_be_bytes(from_port));
    let destination = SocketAddr::new((*to).into(), u16::from_be_bytes(to_port));
    Ok(Addresses::new(source, destination, transport))
}

/// Goes through the fields, each a type, a length and a value, and compares the checksum where
/// there is one. The checksum is counted with zeros in its own place.
fn check_fields(fields: &[u8], header: &[u8]) -> Result<(), Invalid> {
    let mut rest = fields;
    let mut checked = false;
    while !rest.is_empty() {
        let (&[kind, high, low], behind) = rest.split_first_chunk().ok_or(Invalid::Fields)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, next) = behind.split_at_checked(length).ok_or(Invalid::Fields)?;
        if kind == CHECKSUM {
            let said: [u8; 4] = value.try_into().map_err(|_| Invalid::Fields)?;
            let before = header.len() - behind.len();
            let parts = [&header[..before], &[0; 4], next];
            if checked || crc32c(&parts) != u32::from_be_bytes(said) {
                return Err(Invalid::Checksum);
            }
            checked = true;
        }
        rest = next;
    }
    Ok(())
}

/// Writes a header without fields.
pub(super) fn encode(addresses: Option<&Addresses>) -> Bytes {
    let Some(addresses) = addresses else {
        return Bytes::from_static(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
    };
    let mut header = BytesMut::with_capacity(FIXED + 36);
    header.put_slice(SIGNATURE);
    header.put_u8(0x21);
    let transport = match addresses.transport {
        Transport::Stream => 1,
        Transport::Datagram => 2,
    };
    match addresses.in_one_family() {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            header.put_slice(&[0x10 | transport, 0, 12]);
            header.put_slice(&from.octets());
            header.put_slice(&to.octets());
        }
        (from, to) => {
            header.put_slice(&[0x20 | transport, 0, 36]);
            header.put_slice(&v6_octets(from));
            header.put_slice(&v6_octets(to));
        }
    }
    header.put_u16(addresses.source.port());
    header.put_u16(addresses.destination.port());
    header.freeze()
}

fn v6_octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}
