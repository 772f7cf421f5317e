//! Doors for the fuzz targets, which stand in `tests/corpus` and in `fuzz` at the root: the codecs
//! of the data plane as functions from bytes to values. No part of the crate's interface.

use std::net::SocketAddr;

use bytes::Bytes;
use portway_config::ProxyProtocolVersion;

use crate::proxy_protocol::{self, Addresses, Parsed, Transport};

/// What the first bytes of a connection are to the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introduction {
    /// The beginning of a header.
    Incomplete,
    /// A header.
    Header {
        /// Its bytes.
        length: usize,
        /// Source, destination, and whether it is about datagrams; `None` when nobody is named.
        addresses: Option<(SocketAddr, SocketAddr, bool)>,
    },
    /// No header.
    Absent,
    /// A header that is refused.
    Invalid,
}

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
pub fn proxy_headers(addresses: Option<(SocketAddr, SocketAddr, bool)>) -> [Bytes; 2] {
    let addresses = addresses.map(|(source, destination, datagram)| {
        let transport = if datagram { Transport::Datagram } else { Transport::Stream };
        Addresses::new(source, destination, transport)
    });
    [ProxyProtocolVersion::V1, ProxyProtocolVersion::V2]
        .map(|version| proxy_protocol::encode(version, addresses.as_ref()))
}
