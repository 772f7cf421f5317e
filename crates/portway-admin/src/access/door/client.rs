//! The client's address, where proxies stand before it.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use portway_config::value::Cidr;

use super::Refusal;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that are believed.
#[derive(Debug)]
pub(super) struct Proxies {
    trusted: Box<[Cidr]>,
    depth: usize,
}

impl Proxies {
    pub(super) fn new(trusted: &[Cidr], depth: u16) -> Self {
        Self { trusted: trusted.into(), depth: depth.into() }
    }

    /// The client's address: the peer's, unless it is a trusted proxy that speaks for somebody
    /// else. Whatever else says so is not believed.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Refusal> {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Ok(peer);
        }
        let mut entries = Vec::new();
        for line in headers.get_all(X_FORWARDED_FOR) {
            let line = line.to_str().map_err(|_| unreadable())?;
            entries.extend(line.split(',').map(str::trim));
        }
        if self.depth > 0 {
            let at = entries.len().checked_sub(self.depth).ok_or_else(|| self.too_few())?;
            return address(entries[at]).ok_or_else(unreadable);
        }
        let mut client = peer;
        for entry in entries.iter().rev() {
            client = address(entry).ok_or_else(unreadable)?;
            if !self.trusts(client) {
                break;
            }
        }
        Ok(client)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|block| block.contains(address))
    }

    fn too_few(&self) -> Refusal {
        let depth = self.depth;
        let detail =
            format!("the request has not come by {depth} proxies, as forwarded_depth says");
        Refusal::forbidden("address_not_allowed", detail)
    }
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

fn unreadable() -> Refusal {
    let detail = "X-Forwarded-For does not say where the request comes from";
    Refusal::forbidden("address_not_allowed", detail)
}
