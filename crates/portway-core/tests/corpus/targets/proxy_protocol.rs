//! PROXY headers: more bytes never change an answer, and what is written reads the same.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use portway_core::fuzzing::{Ends, Introduction, proxy_header, proxy_headers};

use super::pieces;

/// The most that is waited for.
const MOST: usize = 4096;

/// Bit 0: the bytes are addresses to write, not a header to read. Bit 1: the signature of version 2
/// is put in front of them, which nobody guesses.
pub(crate) fn check(input: &[u8]) {
    let &[mode, seed, ref bytes @ ..] = input else { return };
    if mode & 1 != 0 {
        return written(bytes);
    }
    let signature: &[u8] = if mode & 2 != 0 { b"\r\n\r\n\0\r\nQUIT\n" } else { b"" };
    let bytes = &[signature, bytes].concat()[..];
    let whole = proxy_header(bytes);
    let mut end = 0;
    let split = pieces(seed, bytes).into_iter().find_map(|piece| {
        end += piece.len();
        Some(proxy_header(&bytes[..end])).filter(|found| *found != Introduction::Incomplete)
    });
    assert_eq!(split.unwrap_or(Introduction::Incomplete), whole);
    match whole {
        Introduction::Incomplete => assert!(bytes.len() < MOST, "patience has an end"),
        Introduction::Absent | Introduction::Invalid => {}
        Introduction::Header { length, addresses } => {
            assert!(length <= bytes.len().min(MOST));
            assert_eq!(proxy_header(&bytes[..length]), whole);
            assert_eq!(proxy_header(&bytes[..length - 1]), Introduction::Incomplete);
            round_trip(addresses);
        }
    }
}

fn written(bytes: &[u8]) {
    let Some((source, rest)) = address(bytes) else { return round_trip(None) };
    let Some((destination, rest)) = address(rest) else { return };
    round_trip(Some((source, destination, rest.first().is_some_and(|byte| byte & 1 != 0))));
}

/// An address of IPv4 or IPv6, mapped ones as what they stand for.
fn address(bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (&family, rest) = bytes.split_first()?;
    let (ip, rest): (IpAddr, _) = if family & 1 == 0 {
        let (octets, rest) = rest.split_first_chunk::<4>()?;
        ((*octets).into(), rest)
    } else {
        let (octets, rest) = rest.split_first_chunk::<16>()?;
        (Ipv6Addr::from(*octets).to_canonical(), rest)
    };
    let (port, rest) = rest.split_first_chunk()?;
    Some((SocketAddr::new(ip, u16::from_be_bytes(*port)), rest))
}

fn round_trip(addresses: Option<Ends>) {
    let [v1, v2] = proxy_headers(addresses);
    assert!(v1.len() <= 107);
    // Version 1 has no words for datagrams.
    let streams = addresses.filter(|(.., datagram)| !datagram);
    for (header, addresses) in [(v1, streams), (v2, addresses)] {
        let length = header.len();
        assert_eq!(proxy_header(&header), Introduction::Header { length, addresses });
    }
}
