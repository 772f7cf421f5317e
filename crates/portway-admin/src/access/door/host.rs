//! By which name the API is asked for.
//!
//! A page from anywhere can have its own name point to this machine (DNS rebinding); to the browser
//! it then asks its own server. What gives it away is the name, which is not one of ours.

use std::net::IpAddr;

use http::{header, request::Parts, uri::Authority};
use portway_config::value::{BindAddr, HostPattern};

use super::Refusal;

/// The names that are ours.
#[derive(Debug)]
pub(super) struct Hosts {
    bind: BindAddr,
    allowed: Box<[HostPattern]>,
}

impl Hosts {
    pub(super) fn new(bind: BindAddr, allowed: &[HostPattern]) -> Self {
        Self { bind, allowed: allowed.into() }
    }

    /// The host and port that were asked for, as they were written but in lower case. Where both
    /// the target and `Host` name one, both have to be ours, and the target's counts (RFC 9112
    /// section 3.2.2).
    pub(super) fn asked_for(&self, head: &Parts) -> Result<String, Refusal> {
        let mut lines = head.headers.get_all(header::HOST).iter();
        let (line, second) = (lines.next(), lines.next());
        if second.is_some() {
            return Err(refusal("it was asked for by several names"));
        }
        let line = line.map(|line| Authority::try_from(line.as_bytes()));
        let line = line.transpose().map_err(|_| refusal("the host is not one"))?;
        let named = [head.uri.authority(), line.as_ref()];
        for authority in named.into_iter().flatten() {
            if !self.is_ours(authority) {
                let host = authority.host().escape_debug();
                return Err(refusal(&format!("it is not called {host}")));
            }
        }
        let first = named.into_iter().flatten().next();
        let first =
            first.ok_or_else(|| refusal("the request does not say by which name it asks"))?;
        Ok(first.as_str().to_ascii_lowercase())
    }

    fn is_ours(&self, authority: &Authority) -> bool {
        let host = authority.host().to_ascii_lowercase();
        if authority.as_str().contains('@') {
            return false;
        }
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Ok(ip) = bare.unwrap_or(&host).parse::<IpAddr>() {
            // No name can be made to be an address: a page that asks for one is that address's.
            let is_own = match self.bind.ip() {
                Some(own) if !own.is_unspecified() => own.to_canonical() == ip.to_canonical(),
                _ => true,
            };
            return is_own || ip.to_canonical().is_loopback() || self.is_allowed(&host);
        }
        host == "localhost" || self.is_allowed(&host)
    }

    fn is_allowed(&self, host: &str) -> bool {
        self.allowed.iter().any(|pattern| {
            let below = |suffix: &str| {
                host.strip_suffix(suffix)
                    .is_some_and(|front| front.len() > 1 && front.ends_with('.'))
            };
            pattern.is_any() || pattern.exact() == Some(host) || pattern.suffix().is_some_and(below)
        })
    }
}

fn refusal(why: &str) -> Refusal {
    let detail = format!("this is an admin API, and {why}; see admin.access.allowed_hosts");
    Refusal::forbidden("host_not_allowed", detail)
}
