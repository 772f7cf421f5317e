//! One address of a service, and what of a request depends on it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
};

use http::{HeaderValue, Uri, uri::PathAndQuery};
use portway_config::{
    UpstreamHttp2,
    balance::stable_hash,
    value::{EndpointScheme, ServiceUrl},
};
use smallvec::SmallVec;

use super::own::Dialler;
use crate::{
    host::Guard,
    resolve::{Name, Resolver, is_public},
    tls,
};

/// The addresses a request may be sent to.
pub(super) type Addresses = SmallVec<[Address; 4]>;

/// Where an endpoint can be reached now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Inet(SocketAddr),
    /// The endpoint's own Unix domain socket.
    Unix,
    /// Whatever the program makes of the endpoint's name.
    Named,
}

/// Which HTTP an endpoint is spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    Http1,
    /// HTTP/2, and nothing else.
    Http2,
    /// Whatever is agreed on over TLS (RFC 7301).
    Agreed,
}

impl Address {
    /// A number for it, the same in every process.
    pub(super) fn id(self) -> u64 {
        match self {
            Self::Inet(SocketAddr::V4(address)) => stable_hash(address.ip().octets()),
            Self::Inet(SocketAddr::V6(address)) => stable_hash(address.ip().octets()),
            Self::Unix | Self::Named => 0,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Unix => f.write_str("its socket"),
            Self::Named => f.write_str("its name"),
        }
    }
}

/// An endpoint, with everything prepared that a request to it needs.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// How logs call it: `host:port`.
    pub(crate) label: Box<str>,
    /// What `Host` says when the upstream's own name is wanted.
    pub(crate) authority: HeaderValue,
    pub(crate) scheme: EndpointScheme,
    pub(super) speech: Speech,
    /// The name its certificate must be for. `None`: no certificate can be.
    pub(super) server_name: Option<tls::UpstreamName>,
    /// Who dials in the gateway's place.
    pub(super) dialler: Option<Box<Dialler>>,
    whereabouts: Whereabouts,
    reach: Reach,
    /// Put before every path; without a slash at its end.
    base_path: Box<str>,
    /// Merged into every query.
    base_query: Option<Box<str>>,
}

/// Which of an endpoint's addresses may be asked.
#[derive(Debug)]
pub(super) enum Reach {
    All,
    /// Public ones only.
    Public,
    /// As a guard says.
    Guarded(Arc<Guard>),
}

impl Reach {
    fn refusal(&self, address: SocketAddr) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Public => (!is_public(address.ip())).then_some("the address is not public"),
            Self::Guarded(guard) => guard.refusal(address),
        }
    }
}

#[derive(Debug)]
enum Whereabouts {
    Fixed(SocketAddr),
    Named {
        name: Arc<Name>,
        port: u16,
    },
    Unix(Box<Path>),
    /// Others know what to make of the name.
    Unknown,
}

impl Endpoint {
    pub(super) fn new(
        url: &ServiceUrl,
        reach: Reach,
        http2: UpstreamHttp2,
        tls: Option<&tls::Client>,
        resolver: &Resolver,
        dialler: Option<Dialler>,
    ) -> Self {
        let port = url.port();
        let whereabouts = match (url.unix(), url.ip()) {
            (Some(path), _) => Whereabouts::Unix(path.into()),
            (None, Some(ip)) => Whereabouts::Fixed(SocketAddr::new(ip, port)),
            // Whoever dials resolves as well, or need not.
            (None, None) if dialler.is_some() => Whereabouts::Unknown,
            (None, None) => Whereabouts::Named { name: resolver.watch(url.host()), port },
        };
        let speech = match (http2, url.scheme()) {
            (UpstreamHttp2::Never, _) => Speech::Http1,
            (UpstreamHttp2::Always, _) | (_, EndpointScheme::H2c) => Speech::Http2,
            (UpstreamHttp2::Auto, EndpointScheme::Https) => Speech::Agreed,
            (UpstreamHttp2::Auto, _) => Speech::Http1,
        };
        let authority = HeaderValue::from_str(url.authority())
            .expect("the authority of a service URL is visible ASCII");
        let label = match url.unix() {
            Some(path) => format!("unix:{}", path.display()),
            None => format!("{}:{port}", bracketed(url)),
        };
        Self {
            label: label.into(),
            authority,
            scheme: url.scheme(),
            speech,
            server_name: tls.and_then(|tls| tls.name_of(url)),
            dialler: dialler.map(Box::new),
            whereabouts,
            reach,
            base_path: url.path().trim_end_matches('/').into(),
            base_query: url.query().map(Into::into),
        }
    }

    /// What tells it from others, in any revision and any process.
    pub(super) fn identity(&self) -> String {
        let query = self.base_query.as_deref().unwrap_or_default();
        format!("{} {} {}?{query}", self.scheme.as_str(), self.label, self.base_path)
    }

    /// Where it can be reached now. Empty while its name does not resolve, or to nothing allowed.
    pub(super) fn addresses(&self) -> Addresses {
        let mut addresses = self.known();
        addresses.retain(|address| match address {
            Address::Inet(address) => self.reach.refusal(*address).is_none(),
            Address::Unix | Address::Named => true,
        });
        addresses
    }

    /// Whether any of its addresses may be asked. Nothing is wrong while there are none.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn allowed(&self) -> Result<(), &'static str> {
        let known = self.known();
        let refused = known.iter().map(|address| match address {
            Address::Inet(address) => self.reach.refusal(*address),
            Address::Unix | Address::Named => None,
        });
        match refused.collect::<Option<Vec<_>>>() {
            Some(reasons) => reasons.first().map_or(Ok(()), |reason| Err(*reason)),
            None => Ok(()),
        }
    }

    /// Where it is now, allowed or not.
    fn known(&self) -> Addresses {
        match &self.whereabouts {
            Whereabouts::Fixed(address) => std::iter::once(Address::Inet(*address)).collect(),
            Whereabouts::Unix(_) => std::iter::once(Address::Unix).collect(),
            Whereabouts::Unknown => std::iter::once(Address::Named).collect(),
            Whereabouts::Named { name, port } => {
                let answer = name.answer();
                let ips = answer.addresses.iter().copied();
                ips.map(|ip| Address::Inet(SocketAddr::new(ip, *port))).collect()
            }
        }
    }

    /// The name that has to resolve before the endpoint can be reached.
    pub(crate) fn awaited_name(&self) -> Option<&Arc<Name>> {
        match &self.whereabouts {
            Whereabouts::Fixed(_) | Whereabouts::Unix(_) | Whereabouts::Unknown => None,
            Whereabouts::Named { name, .. } => Some(name),
        }
    }

    /// The path of its Unix domain socket.
    pub(super) fn socket(&self) -> Option<&Path> {
        match &self.whereabouts {
            Whereabouts::Unix(path) => Some(path),
            Whereabouts::Fixed(_) | Whereabouts::Named { .. } | Whereabouts::Unknown => None,
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
