//! Which certificate a client is shown.

use std::{collections::HashMap, sync::Arc};

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{certificate::Certificate, domains::DomainCertificates, listener::Expiry};

/// Certificates of one name, the cheapest kind of key first.
type Choice = Vec<Arc<CertifiedKey>>;

/// The certificates of a listener, by the names they are for.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    exact: HashMap<Box<str>, Choice>,
    /// By what is behind `*.`.
    wildcard: HashMap<Box<str>, Choice>,
    /// For clients that ask for no name, or for one that nobody has.
    default: Choice,
    /// What domains show, for names that the listener has no certificate of its own for.
    domains: Option<Arc<DomainCertificates>>,
}

impl Resolver {
    pub(super) fn new(
        certificates: &[Certificate],
        domains: Option<&Arc<DomainCertificates>>,
    ) -> Self {
        let mut by_cost: Vec<_> = certificates.iter().collect();
        by_cost.sort_by_key(|certificate| certificate.is_rsa());
        let mut this = Self { domains: domains.cloned(), ..Self::default() };
        for certificate in by_cost {
            for name in &certificate.names {
                let (map, name) = match name.strip_prefix("*.") {
                    Some(suffix) => (&mut this.wildcard, suffix),
                    None => (&mut this.exact, &**name),
                };
                map.entry(name.into()).or_default().push(Arc::clone(&certificate.key));
            }
        }
        // The first one declared, and others of its name.
        if let Some(first) = certificates.first() {
            let same = first.names.first().and_then(|name| this.named(name).cloned());
            this.default = same.unwrap_or_else(|| vec![Arc::clone(&first.key)]);
        } else if let Some(first) = domains.and_then(|domains| domains.first()) {
            this.default.clone_from(first);
        }
        this
    }

    /// When the certificates of domains end.
    pub(super) fn of_domains(&self) -> impl Iterator<Item = &Expiry> {
        self.domains.iter().flat_map(|domains| &domains.expiries)
    }

    /// Whether a certificate is for `name`.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.shown(name).is_some()
    }

    /// The listener's own before those of domains.
    fn shown(&self, name: &str) -> Option<&Choice> {
        self.named(name).or_else(|| self.domains.as_ref()?.named(name))
    }

    /// Exact before wildcard. A wildcard stands for one label (RFC 9525 section 6.3).
    fn named(&self, name: &str) -> Option<&Choice> {
        if let Some(suffix) = name.strip_prefix("*.") {
            return self.wildcard.get(suffix);
        }
        self.exact
            .get(name)
            .or_else(|| self.wildcard.get(name.split_once('.')?.1))
            .or_else(|| self.exact.get("*"))
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // rustls gives the name in lower case.
        let choice = hello.server_name().and_then(|name| self.shown(name)).unwrap_or(&self.default);
        let understood =
            |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        // Where none fits, rustls finds that out from any of them and says so by the alert that
        // is meant for it, handshake_failure (RFC 8446 section 6.2); without one it would say that
        // access was denied.
        choice.iter().find(understood).or_else(|| choice.first()).cloned()
    }
}
