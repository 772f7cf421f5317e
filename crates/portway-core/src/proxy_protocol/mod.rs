//! The PROXY protocol, versions 1 and 2: who is behind a proxy that passes connections on, said in
//! front of the first byte (HAProxy's `proxy-protocol.txt`).
//!
//! Strict and bounded: what the specification does not allow is refused, and a header that goes on
//! beyond [`MAX_LENGTH`] is never waited for. What this room never does: read a socket, decide
//! whose word counts, look into what a proxy says besides the two addresses.

mod crc32c;
mod v1;
mod v2;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use bytes::Bytes;
use portway_config::ProxyProtocolVersion;

/// The longest header that is read, in bytes. Version 2 could say 65551; real ones have an address
/// pair, a server's name and facts about a certificate.
pub(crate) const MAX_LENGTH: usize = 4096;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The beginning of a header, or nothing yet: ask again when there is more.
    Incomplete,
    /// A whole header.
    Header(Header),
    /// Nothing that could become a header.
    Absent,
    /// A header that is not to be believed.
    Invalid(Invalid),
}

/// A whole header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// For whom the connection was made.
    pub(crate) origin: Origin,
    /// The bytes of the header; the connection's own begin behind them.
    pub(crate) length: usize,
}

/// For whom a proxy made a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// For the proxy itself, such as a health check: the connection's own addresses count.
    Local,
    /// For somebody the proxy cannot name: `UNKNOWN`, or the family `AF_UNSPEC`.
    Unknown,
    /// For somebody at a Unix domain socket of the proxy's machine.
    Unix,
    /// For a client elsewhere.
    Ip(Addresses),
}

/// Where a connection came from and where it went, when the proxy took it. IPv4 addresses written
/// as IPv6 are IPv4 here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) transport: Transport,
}

/// What the client speaks to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TCP.
    Stream,
    /// UDP.
    Datagram,
}

/// Why a header is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// Version 1: no end of the line within 107 bytes. Version 2: longer than [`MAX_LENGTH`].
    TooLong,
    /// The line of version 1 is not as the specification has it.
    Line,
    /// It begins like version 2 and says another version.
    Version,
    /// Neither LOCAL nor PROXY.
    Command,
    /// A family or transport that does not exist.
    Family,
    /// Less room than the addresses of its family take.
    Addresses,
    /// The fields behind the addresses do not fill the rest exactly.
    Fields,
    /// The checksum is not that of the header.
    Checksum,
}

/// Reads the first bytes of a connection. More bytes never change an answer other than
/// [`Parsed::Incomplete`].
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let begins = |with: &[u8]| {
        let both = bytes.len().min(with.len());
        bytes[..both] == with[..both]
    };
    let parsed = if begins(v1::BEGINNING) {
        v1::parse(bytes)
    } else if begins(v2::SIGNATURE) {
        v2::parse(bytes)
    } else {
        return Parsed::Absent;
    };
    match parsed {
        Ok(Some(header)) => Parsed::Header(header),
        Ok(None) => Parsed::Incomplete,
        Err(invalid) => Parsed::Invalid(invalid),
    }
}

/// Writes a header. Without addresses, because one end is no IP address or nobody is behind the
/// connection, it is `UNKNOWN` or LOCAL; version 1 has no words for datagrams and says `UNKNOWN`.
pub(crate) fn encode(version: ProxyProtocolVersion, addresses: Option<&Addresses>) -> Bytes {
    match version {
        ProxyProtocolVersion::V1 => v1::encode(addresses),
        ProxyProtocolVersion::V2 => v2::encode(addresses),
    }
}

impl Header {
    /// Both addresses, when the proxy named somebody with an address.
    pub(crate) fn addresses(&self) -> Option<&Addresses> {
        match &self.origin {
            Origin::Ip(addresses) => Some(addresses),
            Origin::Local | Origin::Unknown | Origin::Unix => None,
        }
    }
}

impl Addresses {
    /// Addresses of a TCP connection, or of datagrams.
    pub(crate) fn new(source: SocketAddr, destination: SocketAddr, transport: Transport) -> Self {
        let plain =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        Self { source: plain(source), destination: plain(destination), transport }
    }

    /// Both in one family: a header has room for one, so an IPv4 address beside an IPv6 address is
    /// written as IPv6 (RFC 4291 section 2.5.5.2).
    fn in_one_family(&self) -> (IpAddr, IpAddr) {
        match (self.source.ip(), self.destination.ip()) {
            (IpAddr::V4(source), to @ IpAddr::V6(_)) => (source.to_ipv6_mapped().into(), to),
            (from @ IpAddr::V6(_), IpAddr::V4(to)) => (from, to.to_ipv6_mapped().into()),
            same => same,
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the PROXY header is too long",
            Self::Line => "the PROXY line is malformed",
            Self::Version => "the PROXY header has an unknown version",
            Self::Command => "the PROXY header has an unknown command",
            Self::Family => "the PROXY header has an unknown family or transport",
            Self::Addresses => "the PROXY header is shorter than its addresses",
            Self::Fields => "the fields of the PROXY header do not fill it",
            Self::Checksum => "the checksum of the PROXY header is wrong",
        })
    }
}

impl std::error::Error for Invalid {}
