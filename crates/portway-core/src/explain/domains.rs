//! Which domain a host belongs to.

use std::cmp::Reverse;

use portway_config::{
    Checked, Config, Domain,
    value::{DomainPattern, Name},
};

use crate::route::host_name;

/// Whose routes are candidates for the requests for a host.
#[derive(Clone, Debug)]
pub struct Belonging<'a> {
    /// The domain that has the host, and the pattern that takes it.
    pub domain: Option<(&'a Domain, &'a DomainPattern)>,
    /// The namespace; `None` where no domain is declared, so that namespaces are not told apart.
    pub namespace: Option<Name>,
    /// Whether the namespace serves anything: it is not switched off.
    pub served: bool,
}

/// What a host, be it with a port, belongs to.
#[must_use]
pub fn belonging<'a>(config: &'a Checked<Config>, host: &str) -> Belonging<'a> {
    if !config.tells_namespaces_apart() {
        return Belonging { domain: None, namespace: None, served: true };
    }
    let host = host_name(host);
    let domains = config.domains.iter().filter(|domain| domain.meta.enabled);
    let patterns = domains.flat_map(|domain| {
        let taking = domain.patterns.iter().filter(|pattern| pattern.takes(&host));
        taking.map(move |pattern| (domain, pattern))
    });
    // Of what is equal, the one declared first.
    let domain =
        patterns.min_by_key(|(domain, pattern)| (Reverse(domain.priority), pattern.rank()));
    let namespace = domain.map_or_else(Name::default, |(domain, _)| domain.meta.namespace.clone());
    let served = config.has_enabled(&namespace);
    Belonging { domain, namespace: Some(namespace), served }
}
