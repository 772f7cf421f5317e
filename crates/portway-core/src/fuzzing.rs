//! Doors for the fuzz targets, which stand in `tests/corpus` and in `fuzz` at the root: the codecs
//! of the data plane, of which nobody else has a use. No part of the crate's interface.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use portway_config::ProxyProtocolVersion;
use portway_plugin::{Body, value::HostPattern};

use crate::{
    grpc::{Bridge, Kind},
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
