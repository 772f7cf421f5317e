//! One address of a service, and what of a request depends on it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use http::{HeaderValue, Uri, uri::PathAndQuery};
use portway_config::value::ServiceUrl;
use smallvec::SmallVec;

use crate::resolve::{Name, Resolver, is_public};

/// The addresses a request may be sent to.
pub(super) type Addresses = SmallVec<[SocketAddr; 4]>;

/// An endpoint, with everything prepared that a request to it needs.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// How logs call it: `host:port`.
    pub(crate) label: Box<str>,
    /// What `Host` says when the upstream's own name is wanted.
    pub(crate) authority: HeaderValue,
    whereabouts: Whereabouts,
    /// Whether addresses that are not public are refused.
    public_only: bool,
    /// Put before every path; without a slash at its end.
    base_path: Box<str>,
    /// Merged into every query.
    base_query: Option<Box<str>>,
}

#[derive(Debug)]
enum Whereabouts {
    Fixed(SocketAddr),
    Named { name: Arc<Name>, port: u16 },
}

impl Endpoint {
    pub(super) fn new(url: &ServiceUrl, public_only: bool, resolver: &Resolver) -> Self {
        let port = url.port();
        let whereabouts = match url.ip() {
            Some(ip) => Whereabouts::Fixed(SocketAddr::new(ip, port)),
            None => Whereabouts::Named { name: resolver.watch(url.host()), port },
        };
        let authority = HeaderValue::from_str(url.authority())
            .expect("the authority of a service URL is visible ASCII");
        Self {
            label: format!("{}:{port}", bracketed(url)).into(),
            authority,
            whereabouts,
            public_only,
            base_path: url.path().trim_end_matches('/').into(),
            base_query: url.query().map(Into::into),
        }
    }

    /// Where it can be reached now. Empty while its name does not resolve, or to nothing allowed.
    pub(super) fn addresses(&self) -> Addresses {
        let allowed = |ip: &IpAddr| !self.public_only || is_public(*ip);
        match &self.whereabouts {
            Whereabouts::Fixed(address) => {
                Some(*address).filter(|address| allowed(&address.ip())).into_iter().collect()
            }
            Whereabouts::Named { name, port } => {
                let answer = name.answer();
                let ips = answer.addresses.iter().copied().filter(allowed);
                ips.map(|ip| SocketAddr::new(ip, *port)).collect()
            }
        }
    }

    /// The name that has to resolve before the endpoint can be reached.
    pub(crate) fn awaited_name(&self) -> Option<&Arc<Name>> {
        match &self.whereabouts {
            Whereabouts::Fixed(_) => None,
            Whereabouts::Named { name, .. } => Some(name),
        }
    }

    /// The request target in origin form. `None` when it has become too long to be one.
    pub(super) fn target(&self, wanted: &PathAndQuery) -> Option<Uri> {
        if self.base_path.is_empty() && self.base_query.is_none() {
            return Some(Uri::from(wanted.clone()));
        }
        let mut target = String::with_capacity(self.base_path.len() + wanted.as_str().len() + 16);
        target.push_str(&self.base_path);
        target.push_str(wanted.path());
        let queries = [self.base_query.as_deref(), wanted.query()];
        for (index, query) in queries.into_iter().flatten().filter(|q| !q.is_empty()).enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(query);
        }
        PathAndQuery::from_maybe_shared(bytes::Bytes::from(target)).ok().map(Uri::from)
    }
}

fn bracketed(url: &ServiceUrl) -> String {
    match url.ip() {
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => url.host().to_owned(),
    }
}
