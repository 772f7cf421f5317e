//! What a WebSocket server must do with right and wrong frames (RFC 6455), case by case.

use std::io;
use std::net::SocketAddr;

use super::{Closed, RawClient};
use crate::echo::checksum;

/// Frames to send after the handshake. Each case ends with a close of 1000, which a server that
/// has failed the connection before does not answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebSocketCase {
    /// What is tried, in a few words.
    pub name: &'static str,
    /// The code with which a strict server closes: 1000 for what is right, 1002 for a breach of
    /// the protocol, 1007 for text that is not UTF-8.
    pub closes_with: u16,
    bytes: Vec<u8>,
}

/// What a server did: to be recorded directly, recorded through a gateway, and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebSocketVerdict {
    /// Its frames in order, each as its first octet, its length and the checksum of its content;
    /// a close has its code in the place of the checksum.
    pub frames: Vec<String>,
    /// The code of its close, if it sent one that has a code.
    pub code: Option<u16>,
    /// How the connection ended.
    pub end: Closed,
}

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const FIN: u8 = 0x80;

/// All cases, for a server that sends each message back.
#[must_use]
pub fn websocket_cases() -> Vec<WebSocketCase> {
    let mut cases = right();
    cases.extend(wrong());
    cases
}

impl WebSocketCase {
    /// Opens a WebSocket, sends the frames and reads until the server ends the connection.
    pub async fn verdict(
        &self,
        addr: SocketAddr,
        host: &str,
        path: &str,
    ) -> io::Result<WebSocketVerdict> {
        let mut client = RawClient::connect(addr).await?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        client.send(request).await?;
        let head = client.read_head().await?;
        if head.status != 101 {
            let text = format!("the WebSocket was refused: {}", head.status);
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, text));
        }
        client.send(&self.bytes).await?;

        let mut received = Vec::new();
        let end = loop {
            match client.read_some().await {
                Ok(bytes) if bytes.is_empty() => break Closed::Fin,
                Ok(bytes) => received.extend_from_slice(&bytes),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    break Closed::Reset;
                }
                Err(error) => return Err(error),
            }
        };
        Ok(WebSocketVerdict::new(&received, end))
    }
}

impl WebSocketVerdict {
    fn new(mut bytes: &[u8], end: Closed) -> Self {
        let (mut frames, mut code) = (Vec::new(), None);
        while let Some((first, payload, rest)) = take(bytes) {
            let what = match payload.get(..2) {
                Some(octets) if first & 0xf == CLOSE => {
                    let found = u16::from_be_bytes([octets[0], octets[1]]);
                    code = Some(found);
                    found.to_string()
                }
                _ => checksum(payload),
            };
            frames.push(format!("{first:#x} {} {what}", payload.len()));
            bytes = rest;
        }
        if !bytes.is_empty() {
            frames.push(format!("{} bytes that are no frame", bytes.len()));
        }
        Self { frames, code, end }
    }
}

fn right() -> Vec<WebSocketCase> {
    let mut cases: Vec<WebSocketCase> = [
        ("an empty text", 0),
        ("125 bytes, the longest short length", 125),
        ("126 bytes, the shortest length of 16 bits", 126),
        ("65535 bytes, the longest length of 16 bits", 65_535),
        ("65536 bytes, the shortest length of 64 bits", 65_536),
        ("a mebibyte", 1 << 20),
    ]
    .map(|(name, length)| case(name, 1000, &[(FIN | BINARY, &vec![b'x'; length])]))
    .into();
    cases.extend([
        case("a text in three fragments", 1000, &[(TEXT, b"a"), (0, b""), (FIN, b"b")]),
        case("a ping between fragments", 1000, &[(TEXT, b"a"), (FIN | PING, b"now"), (FIN, b"b")]),
        case(
            "a character cut by fragments",
            1000,
            &[(TEXT, b"\xe2"), (0, b"\x82"), (FIN, b"\xac")],
        ),
        case("a ping with 125 bytes", 1000, &[(FIN | PING, &[7; 125])]),
        case("a pong that nobody asked for", 1000, &[(FIN | PONG, b"here")]),
        case("ten pings in one write", 1000, &[(FIN | PING, &b"p"[..]); 10]),
        case("nothing but a close", 1000, &[]),
        case("a close with a reason", 1000, &[(FIN | CLOSE, b"\x03\xe8bye")]),
        case("a close with a code of ours", 3000, &[(FIN | CLOSE, b"\x0b\xb8")]),
        case(
            "nothing is answered after a close",
            1000,
            &[(FIN | CLOSE, b"\x03\xe8"), (FIN | TEXT, b"late")],
        ),
    ]);
    cases
}

fn wrong() -> Vec<WebSocketCase> {
    let mut cases = vec![
        case("a text that is not UTF-8", 1007, &[(FIN | TEXT, b"\xff")]),
        case("a text that ends inside a character", 1007, &[(FIN | TEXT, b"\xe2\x82")]),
        case("a surrogate in a text", 1007, &[(FIN | TEXT, b"\xed\xa0\x80")]),
        case("a reserved bit", 1002, &[(FIN | 0x40 | TEXT, b"a")]),
        case("a reserved type of message", 1002, &[(FIN | 0x3, b"a")]),
        case("a reserved type of control", 1002, &[(FIN | 0xb, b"a")]),
        case("a ping in fragments", 1002, &[(PING, b"a"), (FIN, b"b")]),
        case("a ping of 126 bytes", 1002, &[(FIN | PING, &[0; 126])]),
        case("a fragment of nothing", 1002, &[(FIN, b"a")]),
        case("a text inside a text", 1002, &[(TEXT, b"a"), (FIN | TEXT, b"b")]),
        case("a close with half a code", 1002, &[(FIN | CLOSE, b"\x03")]),
        case("a close with a code nobody may send", 1002, &[(FIN | CLOSE, b"\x03\xed")]),
        case("a close with a code below 1000", 1002, &[(FIN | CLOSE, b"\x03\xe7")]),
    ];
    let mut unmasked = case("a frame without a mask", 1002, &[]);
    unmasked.bytes.splice(..0, *b"\x81\x01a");
    cases.push(unmasked);
    cases
}

/// A case of these frames, each with its first octet and its content, and a close at the end.
fn case(name: &'static str, closes_with: u16, frames: &[(u8, &[u8])]) -> WebSocketCase {
    let mut bytes = Vec::new();
    for (first, payload) in frames {
        masked(&mut bytes, *first, payload);
    }
    masked(&mut bytes, FIN | CLOSE, &1000_u16.to_be_bytes());
    WebSocketCase { name, closes_with, bytes }
}

/// Writes a frame with a mask (section 5.3), always the same, so that cases can be compared.
fn masked(bytes: &mut Vec<u8>, first: u8, payload: &[u8]) {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    bytes.push(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => bytes.push(0x80 | length),
        (_, Ok(length)) => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// Takes the first frame of a server: its first octet, its content, and what comes after it.
fn take(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[first, length], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        126 => {
            let (octets, rest) = rest.split_first_chunk::<2>()?;
            (u64::from(u16::from_be_bytes(*octets)), rest)
        }
        127 => {
            let (octets, rest) = rest.split_first_chunk::<8>()?;
            (u64::from_be_bytes(*octets), rest)
        }
        // A server masks nothing: with the mask bit it is no frame that fits.
        length => (u64::from(length), rest),
    };
    let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((first, payload, rest))
}
