//! Which namespace a host belongs to.

use portway_config::{Config, value::Name};

use crate::route::{Domains, Programs, Router, World};

/// The namespaces of a configuration that declares domains. They are kept apart, also while some
/// of the domains are switched off.
#[derive(Debug)]
pub(crate) struct Namespaces {
    domains: Domains<Option<Namespace>>,
    /// For hosts that no domain has; `None` where it is switched off.
    fallback: Option<Namespace>,
}

/// A namespace, and its routes.
#[derive(Clone, Debug)]
pub(crate) struct Namespace {
    pub(crate) name: Name,
    pub(crate) world: World,
}

impl Namespaces {
    /// `None` where no domain is declared: all routes take requests of all hosts.
    pub(super) fn new(config: &Config, router: &Router) -> Option<Self> {
        if !config.tells_namespaces_apart() {
            return None;
        }
        // What is switched off keeps its hosts: nobody else is to answer for them.
        let namespace = |name: &Name| {
            let world = router.world(name);
            config.has_enabled(name).then(|| Namespace { name: name.clone(), world })
        };
        let domains = config.domains.iter().filter(|domain| domain.meta.enabled);
        let domains = domains.map(|domain| (domain, namespace(&domain.meta.namespace)));
        Some(Self { domains: Domains::new(domains), fallback: namespace(&Name::default()) })
    }

    /// The expressions of the domains, for one core.
    pub(super) fn programs(&self) -> Programs {
        self.domains.programs()
    }

    /// The namespace of a host; `None` where nobody serves it.
    pub(super) fn of(&self, host: Option<&str>, programs: &Programs) -> Option<&Namespace> {
        let found = host.and_then(|host| self.domains.find(host, programs));
        found.unwrap_or(&self.fallback).as_ref()
    }
}
