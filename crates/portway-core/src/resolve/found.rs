//! What one look-up of a name brings.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv6Addr, UdpSocket},
    time::Duration,
};

use super::servers::Cause;

/// The longest a look-up may take, whatever the name servers do and however long the search list.
pub(super) const LOOKUP_DEADLINE: Duration = Duration::from_secs(20);

/// The addresses of a name and how long they are good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) ttl: Duration,
}

/// Why a look-up gave no addresses.
#[derive(Debug)]
pub(super) enum LookupError {
    /// A name server says that there are none.
    NoAddresses,
    /// Nobody could say.
    Failed(Cause),
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddresses => f.write_str("the name has no address"),
            Self::Failed(_) => f.write_str("the name servers gave no answer"),
        }
    }
}

impl Error for LookupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoAddresses => None,
            Self::Failed(cause) => Some(cause),
        }
    }
}

/// On a host without IPv6 the IPv6 addresses of a name with both kinds only cost a failed
/// connection each (RFC 6724 section 6, rule 1).
pub(super) fn leave_out_unreachable_v6(addresses: &mut Vec<IpAddr>) {
    if addresses.iter().any(IpAddr::is_ipv4) {
        addresses.retain(|address| address.is_ipv4() || has_route(*address));
    }
}

/// Whether the host has a way to this address. Connecting a datagram socket sends nothing.
fn has_route(address: IpAddr) -> bool {
    const ANY_PORT: u16 = 80;
    UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect((address, ANY_PORT)))
        .is_ok()
}
