//! Doors for the fuzz targets, which stand in `tests/corpus` and in `fuzz` at the root: the codecs
//! of the data plane, of which nobody else has a use. No part of the crate's interface.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use portway_config::ProxyProtocolVersion;
use portway_plugin::{Body, value::HostPattern};
use rustls::server::Acceptor;

use crate::{
    grpc::{Bridge, Kind},
    layer4::peek,
    proxy_protocol::{self, Addresses, Parsed, Transport},
    route::HostSet,
    websocket::{self, Sender, Tracker},
};

/// What the first bytes of a connection are to the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introduction {
    /// The beginning of a header.
    Incomplete,
    /// A header.
    Header {
        /// Its bytes.
        length: usize,
        /// `None` when nobody is named.
        addresses: Option<Ends>,
    },
    /// No header.
    Absent,
    /// A header that is refused.
    Invalid,
}

/// The source, the destination, and whether it is about datagrams.
pub type Ends = (SocketAddr, SocketAddr, bool);

/// Reads a PROXY header.
#[must_use]
pub fn proxy_header(bytes: &[u8]) -> Introduction {
    match proxy_protocol::parse(bytes) {
        Parsed::Incomplete => Introduction::Incomplete,
        Parsed::Header(header) => Introduction::Header {
            length: header.length,
            addresses: header.addresses().map(|Addresses { source, destination, transport }| {
                (*source, *destination, *transport == Transport::Datagram)
            }),
        },
        Parsed::Absent => Introduction::Absent,
        Parsed::Invalid(_) => Introduction::Invalid,
    }
}

/// Writes a PROXY header of version 1 and one of version 2.
#[must_use]
pub fn proxy_headers(ends: Option<Ends>) -> [Bytes; 2] {
    let addresses = ends.map(|(source, destination, datagram)| {
        let transport = if datagram { Transport::Datagram } else { Transport::Stream };
        Addresses::new(source, destination, transport)
    });
    [ProxyProtocolVersion::V1, ProxyProtocolVersion::V2]
        .map(|version| proxy_protocol::encode(version, addresses.as_ref()))
}

/// Whether one of the patterns takes a host.
#[must_use]
pub fn takes_host(patterns: &[HostPattern], host: &str) -> bool {
    HostSet::new(patterns).contains(host)
}

/// The body of a gRPC-Web request as gRPC has it.
#[must_use]
pub fn to_grpc(body: Body, text: bool) -> Option<Body> {
    Some(bridge(text)?.request(body))
}

/// The body of an answer of gRPC as gRPC-Web has it.
#[must_use]
pub fn from_grpc(body: Body, text: bool) -> Option<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, media_type(Kind::Grpc));
    Some(bridge(text)?.response(response).into_body())
}

fn bridge(text: bool) -> Option<Bridge> {
    let kind = if text { Kind::WebText } else { Kind::Web };
    Bridge::open(&mut HeaderMap::from_iter([(header::CONTENT_TYPE, media_type(kind))]))
}

fn media_type(kind: Kind) -> HeaderValue {
    HeaderValue::from_static(kind.media_type())
}

/// The frames of one direction of a WebSocket.
#[derive(Clone, Debug)]
pub struct Frames(Tracker);

impl Frames {
    /// Of a client, or of a server.
    #[must_use]
    pub fn new(client: bool) -> Self {
        Self(Tracker::new(if client { Sender::Client } else { Sender::Server }))
    }

    /// Follows bytes.
    pub fn track(&mut self, bytes: &[u8]) {
        self.0.track(bytes);
    }

    /// Whether a frame could be put in here.
    #[must_use]
    pub fn at_boundary(&self) -> bool {
        self.0.at_boundary()
    }

    /// Behind how many bytes a frame could be put in.
    #[must_use]
    pub fn boundary_in(&self, next: &[u8]) -> Option<usize> {
        self.0.boundary_in(next)
    }

    /// Whether a Close frame has begun, and whether the bytes are no frames.
    #[must_use]
    pub fn state(&self) -> (bool, bool) {
        (self.0.has_closed(), self.0.is_lost())
    }
}

/// A Close frame of a client or of a server.
#[must_use]
pub fn farewell(client: bool, code: u16, reason: &str) -> Bytes {
    match client {
        true => websocket::masked_close_frame(code, reason),
        false => websocket::close_frame(code, reason),
    }
}

/// What is read from a TLS client's first message: what is decided early is what is decided in
/// the end, and nothing is read that rustls, which would end the TLS, reads differently.
///
/// # Panics
/// When something does not hold.
pub fn sni_peek(input: &[u8]) {
    let found = peek(input);
    for end in [input.len() / 2, input.len().saturating_sub(1), input.len().min(5)] {
        let early = peek(&input[..end]);
        assert!(early == Ok(None) || early == found, "{early:?} after {end} bytes, then {found:?}");
    }
    let Ok(Some(hello)) = found else { return };
    let mut acceptor = Acceptor::default();
    let mut rest = input;
    while !rest.is_empty() {
        match acceptor.read_tls(&mut rest) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        // What rustls refuses besides, it would refuse with or without the gateway.
        let Ok(accepted) = acceptor.accept() else { return };
        let Some(accepted) = accepted else { continue };
        let theirs = accepted.client_hello();
        let name = theirs.server_name().map(|name| {
            name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().into_boxed_str()
        });
        assert_eq!(hello.name, name);
        let protocols: Vec<Box<[u8]>> =
            theirs.alpn().into_iter().flatten().map(Into::into).collect();
        assert_eq!(hello.protocols.as_slice(), protocols);
        return;
    }
}
