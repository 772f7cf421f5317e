//! Headers that are believed, headers that are not, and that both are read alike however they come.

use super::*;

/// The fixed part of version 2 and what is behind it.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap();
    [v2::SIGNATURE, &[command, family], &length.to_be_bytes(), rest].concat()
}

fn with_checksum(mut header: Vec<u8>) -> Vec<u8> {
    header.extend([3, 0, 4, 0, 0, 0, 0]);
    let length = u16::try_from(header.len() - 16).unwrap();
    header[14..16].copy_from_slice(&length.to_be_bytes());
    let sum = crc32c::crc32c(&[&header]);
    let at = header.len() - 4;
    header[at..].copy_from_slice(&sum.to_be_bytes());
    header
}

fn ip(source: &str, destination: &str, transport: Transport) -> Origin {
    Origin::Ip(Addresses {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        transport,
    })
}

fn tcp(source: &str, destination: &str) -> Origin {
    ip(source, destination, Transport::Stream)
}

const V4: &[u8] = &[192, 0, 2, 1, 192, 0, 2, 2, 0x1f, 0x90, 1, 0xbb];

fn v6(from: &str, to: &str) -> Vec<u8> {
    let octets = |ip: &str| ip.parse::<std::net::Ipv6Addr>().unwrap().octets();
    [&octets(from)[..], &octets(to), &[0, 1, 0, 2]].concat()
}

fn valid() -> Vec<(Vec<u8>, Origin)> {
    let text = |line: &str| line.as_bytes().to_vec();
    let v4_field = |field: &[u8]| v2(0x21, 0x11, &[V4, field].concat());
    let four = "192.0.2.1:8080";
    let pair = tcp(four, "192.0.2.2:443");
    let longest = format!("PROXY UNKNOWN {}\r\n", "f".repeat(91));
    assert_eq!(longest.len(), 107);
    let widest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    vec![
        (text("PROXY TCP4 192.0.2.1 192.0.2.2 8080 443\r\n"), pair),
        (
            text("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"),
            tcp("0.0.0.0:0", "255.255.255.255:65535"),
        ),
        (
            text("PROXY TCP6 2001:db8::1 2001:DB8:0::2 1 2\r\n"),
            tcp("[2001:db8::1]:1", "[2001:db8::2]:2"),
        ),
        (text("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), tcp("192.0.2.1:1", "[::1]:2")),
        (
            text(&format!("PROXY TCP6 {widest} {widest} 65535 65535\r\n")),
            tcp(&format!("[{widest}]:65535"), &format!("[{widest}]:65535")),
        ),
        (text("PROXY UNKNOWN\r\n"), Origin::Unknown),
        (text("PROXY UNKNOWN ff:: any \x07 thing\r\n"), Origin::Unknown),
        (longest.into_bytes(), Origin::Unknown),
        (v2(0x21, 0x11, V4), pair),
        (v2(0x21, 0x12, V4), ip(four, "192.0.2.2:443", Transport::Datagram)),
        (v2(0x21, 0x21, &v6("2001:db8::1", "::1")), tcp("[2001:db8::1]:1", "[::1]:2")),
        (
            v2(0x21, 0x22, &v6("::ffff:1.2.3.4", "::1")),
            ip("1.2.3.4:1", "[::1]:2", Transport::Datagram),
        ),
        (v2(0x21, 0x31, &[b'/'; 216]), Origin::Unix),
        (v2(0x21, 0x32, &[0; 219]), Origin::Unix),
        (v2(0x21, 0x00, &[]), Origin::Unknown),
        (v2(0x21, 0x00, b"anything"), Origin::Unknown),
        (v2(0x21, 0x10, V4), Origin::Unknown),
        (v2(0x20, 0x00, &[]), Origin::Local),
        (v2(0x20, 0xff, b"whatever it is"), Origin::Local),
        (v4_field(&[4, 0, 0]), pair),
        (v4_field(&[1, 0, 2, b'h', b'2', 2, 0, 1, b'a', 0xee, 0, 0]), pair),
        (with_checksum(v2(0x21, 0x11, V4)), pair),
        (with_checksum(v4_field(&[4, 0, 2, 9, 9])), pair),
        (v4_field(&[&[4, 0x0f, 0xe1][..], &[0; 4065]].concat()), pair),
    ]
}

#[test]
fn whole_headers_are_read_and_what_follows_is_left() {
    for (bytes, origin) in valid() {
        let header = Parsed::Header(Header { origin, length: bytes.len() });
        assert_eq!(parse(&bytes), header, "{}", bytes.escape_ascii());
        let followed = [&bytes[..], b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(parse(&followed), header, "{}", bytes.escape_ascii());
    }
}

#[test]
fn every_prefix_of_a_header_waits_for_more() {
    for (bytes, _) in valid() {
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Parsed::Incomplete, "{}", bytes[..end].escape_ascii());
        }
    }
}

#[test]
fn headers_that_are_not_to_be_believed() {
    let line = |line: &str| (line.as_bytes().to_vec(), Invalid::Line);
    let mut broken = with_checksum(v2(0x21, 0x11, V4));
    broken[17] ^= 1;
    let (with_field, twice) = (
        |field: &[u8]| v2(0x21, 0x11, &[V4, field].concat()),
        with_checksum(with_checksum(v2(0x21, 0x11, V4))),
    );
    let mut cases = vec![
        (format!("PROXY UNKNOWN {}\r\n", "f".repeat(92)).into_bytes(), Invalid::TooLong),
        (format!("PROXY TCP4 {}", " ".repeat(96)).into_bytes(), Invalid::TooLong),
        (v2(0x11, 0x11, V4), Invalid::Version),
        (v2(0x31, 0x11, V4), Invalid::Version),
        (v2(0x22, 0x11, V4), Invalid::Command),
        (v2(0x2f, 0x11, V4), Invalid::Command),
        (v2(0x21, 0x13, V4), Invalid::Family),
        (v2(0x21, 0x41, V4), Invalid::Family),
        (v2(0x21, 0xf0, V4), Invalid::Family),
        (v2(0x21, 0x11, &V4[1..]), Invalid::Addresses),
        (v2(0x21, 0x21, V4), Invalid::Addresses),
        (v2(0x21, 0x31, &[0; 215]), Invalid::Addresses),
        (v2(0x21, 0x11, &[]), Invalid::Addresses),
        (with_field(&[4]), Invalid::Fields),
        (with_field(&[4, 0]), Invalid::Fields),
        (with_field(&[4, 0, 1]), Invalid::Fields),
        (with_field(&[4, 0, 0, 4, 0xff, 0xff, 1]), Invalid::Fields),
        (with_field(&[3, 0, 3, 0, 0, 0]), Invalid::Fields),
        (with_field(&[3, 0, 4, 0, 0, 0, 0]), Invalid::Checksum),
        (broken, Invalid::Checksum),
        (twice, Invalid::Checksum),
        (with_field(&[0; 4069]), Invalid::TooLong),
        (v2(0x20, 0, &[0; 4081]), Invalid::TooLong),
        (v2(0x20, 0, &[0; 65535])[..16].to_vec(), Invalid::TooLong),
    ];
    cases.extend(
        [
            "PROXY \r\n",
            "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
            "PROXY TCP4\r\n",
            "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n",
            "PROXY TCP4 ::1 ::2 1 2\r\n",
            "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n",
            "PROXY TCP6 [::1] ::2 1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 00 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n",
            "PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX",
            "PROXY UNKNOWN a\rb\r\n",
            "PROXY UNKNOWN\n",
            "PROXY UNKNOWNX\r\n",
            "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2.1\u{a0}192.0.2.2 1 2\r\n",
        ]
        .map(line),
    );
    for (bytes, why) in cases {
        assert_eq!(parse(&bytes), Parsed::Invalid(why), "{}", bytes.escape_ascii());
        assert!(one_by_one(&bytes) == Parsed::Invalid(why), "{}", bytes.escape_ascii());
    }
}

/// The first answer while bytes come one at a time.
fn one_by_one(bytes: &[u8]) -> Parsed {
    let mut answers = (0..=bytes.len()).map(|end| parse(&bytes[..end]));
    answers.find(|parsed| *parsed != Parsed::Incomplete).unwrap_or(Parsed::Incomplete)
}

#[test]
fn other_protocols_are_told_apart_at_the_first_byte_that_differs() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"PROXYTCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b" PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"\r\nPROXY UNKNOWN\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\n",
        b"\r\n\r\n\0\r\nQUIT\r",
        b"\0",
    ] {
        assert_eq!(parse(bytes), Parsed::Absent, "{}", bytes.escape_ascii());
        assert_eq!(one_by_one(bytes), Parsed::Absent, "{}", bytes.escape_ascii());
    }
}

#[test]
fn bits_that_flip_never_change_what_splitting_sees() {
    for (bytes, _) in valid() {
        for at in 0..bytes.len().min(60) {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                assert_eq!(one_by_one(&bytes), parse(&bytes), "{}", bytes.escape_ascii());
            }
        }
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    use ProxyProtocolVersion::{V1, V2};
    for (source, destination) in [
        ("192.0.2.1:8080", "192.0.2.2:443"),
        ("[2001:db8::1]:1", "[2001:db8::2]:65535"),
        ("192.0.2.1:8080", "[::1]:443"),
        ("[::1]:0", "192.0.2.2:443"),
    ] {
        for transport in [Transport::Stream, Transport::Datagram] {
            let addresses =
                Addresses::new(source.parse().unwrap(), destination.parse().unwrap(), transport);
            for version in [V1, V2] {
                let bytes = encode(version, Some(&addresses));
                let origin = match (version, transport) {
                    (V1, Transport::Datagram) => Origin::Unknown,
                    _ => Origin::Ip(addresses),
                };
                assert_eq!(parse(&bytes), Parsed::Header(Header { origin, length: bytes.len() }));
            }
        }
    }
    assert_eq!(&encode(V1, None)[..], b"PROXY UNKNOWN\r\n");
    assert_eq!(&encode(V2, None)[..], v2(0x20, 0, &[]));
    let mapped = Addresses::new(
        "[::ffff:192.0.2.1]:1".parse().unwrap(),
        "192.0.2.2:2".parse().unwrap(),
        Transport::Stream,
    );
    assert_eq!(&encode(V1, Some(&mapped))[..], b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
}
