//! The certificates that domains show.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use portway_config::{Certificate as Spec, Config, Domain, Problem, value::Name};
use rustls::sign::CertifiedKey;

use super::{
    certificate::Certificate,
    listener::{Expiry, is_over},
    material::provider,
};
use crate::route::{Domains, HostSet};

/// What all listeners that end TLS show for the hosts of domains.
#[derive(Debug)]
pub(super) struct DomainCertificates {
    /// All certificates of the configuration, shown or not.
    read: HashMap<(Name, Name), Arc<Certificate>>,
    by_host: Domains<Arc<Shown>>,
    first: Option<Arc<Shown>>,
    pub(super) expiries: Vec<Expiry>,
}

/// A certificate, for the hosts of a domain.
#[derive(Debug)]
struct Shown {
    keys: Vec<Arc<CertifiedKey>>,
    /// The hosts it is for, where not all of the domain's.
    only: Option<HostSet>,
}

impl DomainCertificates {
    /// Reads the certificates of `config`; those that did not change come from `previous`. All
    /// that is wrong is told. A certificate whose time is over does not replace one that is good.
    pub(super) fn new(
        config: &Config,
        previous: Option<(&Config, &Self)>,
        now: SystemTime,
        problems: &mut Vec<Problem>,
        warnings: &mut Vec<Problem>,
    ) -> Self {
        let mut read = HashMap::new();
        let provider = provider(&[]);
        let before: HashMap<_, _> =
            previous.iter().flat_map(|(config, _)| by_name(config)).collect();
        for (at, spec) in config.certificates.iter().enumerate() {
            let (id, path) = (id(spec), format!("certificates[{at}]"));
            let old = previous.and_then(|(_, known)| known.read.get(&id));
            let same = before.get(&(&id.0, &id.1)).is_some_and(|old| old.pair == spec.pair);
            if let Some(old) = old.filter(|_| same) {
                read.insert(id, Arc::clone(old));
                continue;
            }
            let Some(one) = Certificate::new(&spec.pair, &provider, &path, problems) else {
                continue;
            };
            if is_over(one.not_after, now) {
                let message = format!("the certificate for {} has expired", one.name());
                let problem = Problem::new("expired_certificate", message);
                let problem = problem.at(format!("{path}.cert"));
                match old.is_some_and(|old| !is_over(old.not_after, now)) {
                    true => problems
                        .push(problem.hint("the certificate that is live is good: it stays")),
                    false => {
                        warnings.push(problem.hint("renew it: clients that verify it stay away"));
                    }
                }
            }
            read.insert(id, Arc::new(one));
        }
        Self::shown(config, read)
    }

    fn shown(config: &Config, read: HashMap<(Name, Name), Arc<Certificate>>) -> Self {
        let specs: HashMap<_, _> = by_name(config).collect();
        let mut shown: Vec<(&Domain, Arc<Shown>)> = Vec::new();
        let mut expiries: Vec<Expiry> = Vec::new();
        for domain in in_service(config) {
            let Some(name) = &domain.certificate else { continue };
            let namespace = &domain.meta.namespace;
            let spec = specs.get(&(namespace, name)).filter(|spec| spec.meta.enabled);
            let one = read.get(&(namespace.clone(), name.clone()));
            let (Some(spec), Some(one)) = (spec, one) else { continue };
            let hosts = &spec.pair.hosts;
            let only = (!hosts.is_empty()).then(|| HostSet::new(hosts));
            shown.push((domain, Arc::new(Shown { keys: vec![Arc::clone(&one.key)], only })));
            let expiry = Expiry { name: one.name().into(), not_after: one.not_after };
            if !expiries.contains(&expiry) {
                expiries.push(expiry);
            }
        }
        let first = shown.first().map(|(_, shown)| Arc::clone(shown));
        Self { read, by_host: Domains::new(shown), first, expiries }
    }

    /// Whether `config` would have the same as `before`.
    pub(super) fn are_same(before: &Config, config: &Config) -> bool {
        before.certificates == config.certificates
            && before.namespaces == config.namespaces
            && before.domains == config.domains
    }

    /// What is shown to clients who ask for `name`.
    pub(super) fn named(&self, name: &str) -> Option<&Vec<Arc<CertifiedKey>>> {
        let shown = self.by_host.find_shared(name)?;
        shown.only.as_ref().is_none_or(|only| only.contains(name)).then_some(&shown.keys)
    }

    /// What is shown where nothing fits.
    pub(super) fn first(&self) -> Option<&Vec<Arc<CertifiedKey>>> {
        self.first.as_ref().map(|shown| &shown.keys)
    }
}

fn id(spec: &Spec) -> (Name, Name) {
    (spec.meta.namespace.clone(), spec.meta.name.clone())
}

fn by_name(config: &Config) -> impl Iterator<Item = ((&Name, &Name), &Spec)> {
    config.certificates.iter().map(|one| ((&one.meta.namespace, &one.meta.name), one))
}

fn in_service(config: &Config) -> impl Iterator<Item = &Domain> {
    let domains = config.domains.iter();
    domains.filter(|one| one.meta.enabled && config.has_enabled(&one.meta.namespace))
}
