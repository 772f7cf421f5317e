//! What an earlier check has found, so that a change of one resource among ten thousand checks one.
//!
//! What is the same object says the same. Only what had nothing wrong with it is not looked at
//! again, so that findings are always found anew, with the paths of the day.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use hashbrown::{HashMap, HashSet};
use portway_plugin::value::Name;

use crate::{
    plugged::Plugs,
    resource::{Config, List, Route, Service, Target, Walk},
};

/// What is known of the resources of a configuration that was checked.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<Facts>);

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The configuration as it came in. `None` when nothing is known.
    raw: Option<Config>,
    /// Its services with routes under them, taken apart.
    apart: HashMap<usize, Lowered>,
    /// What it was lowered to, with what is disabled.
    routes: List<Route>,
    services: List<Service>,
    /// Of each of those routes.
    each: Each,
    plugs: Plugs,
}

/// A service with routes under it, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Lowered {
    of: Arc<Service>,
    /// The service without its routes.
    pub(super) bare: Arc<Service>,
    pub(super) routes: Vec<Arc<Route>>,
}

/// What is known of each route.
#[derive(Debug, Default)]
pub(super) struct Each {
    /// Whether there is nothing wrong with it as long as its services stay.
    clean: Vec<bool>,
    /// By what it is told apart: where that ends in the list of all, and the list.
    ends: Vec<usize>,
    digests: Vec<u64>,
}

impl Known {
    pub(super) fn new(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }

    /// The routes at the top that are others than before, where that is all that is new: each has
    /// the name and the namespace of the one in its place.
    pub(super) fn other_routes(&self, config: &Config) -> Option<Vec<usize>> {
        let raw = self.0.raw.as_ref()?;
        let same = raw.namespaces.is_same(&config.namespaces)
            && raw.domains.is_same(&config.domains)
            && raw.certificates.is_same(&config.certificates)
            && raw.secrets.is_same(&config.secrets)
            && raw.collections.is_same(&config.collections)
            && raw.plugins.is_same(&config.plugins)
            && raw.consumers.is_same(&config.consumers)
            && raw.listeners.is_same(&config.listeners)
            && raw.services.is_same(&config.services)
            && raw.routes.len() == config.routes.len();
        if !same {
            return None;
        }
        let pairs = raw.routes.shared().iter().zip(config.routes.shared()).enumerate();
        let others = pairs.filter(|(_, (old, new))| !Arc::ptr_eq(old, new));
        let named = |(at, (old, new)): (usize, (&Arc<Route>, &Arc<Route>))| {
            let (old, new) = (&old.meta, &new.meta);
            ((&old.namespace, &old.name) == (&new.namespace, &new.name)).then_some(at)
        };
        others.map(named).collect()
    }

    /// What a service was taken apart into.
    pub(super) fn lowered(&self, service: &Arc<Service>) -> Option<&Lowered> {
        let known = self.0.apart.get(&address(service))?;
        debug_assert!(Arc::ptr_eq(&known.of, service), "what is remembered is kept alive");
        Some(known)
    }

    /// Whether nothing was wrong with routes, and by what they are told apart.
    pub(super) fn routes<'a>(&'a self, services: &'a List<Service>) -> Routes<'a> {
        Routes {
            each: &self.0.each,
            walk: self.0.routes.walk(),
            others: others(&self.0.services, services),
        }
    }

    pub(super) fn plugs(&self) -> &Plugs {
        &self.0.plugs
    }
}

/// The names of services that are in one of two lists only, or not the same in both.
fn others<'a>(old: &'a List<Service>, new: &'a List<Service>) -> HashSet<(&'a Name, &'a Name)> {
    if old.is_same(new) {
        return HashSet::new();
    }
    let (mut of_old, mut of_new) = (old.walk(), new.walk());
    let gone = old.shared().iter().filter(|one| of_new.find(one).is_none());
    let come = new.shared().iter().filter(|one| of_old.find(one).is_none());
    gone.chain(come).map(|one| (&one.meta.namespace, &one.meta.name)).collect()
}

/// What is known of routes, asked for in their order.
pub(super) struct Routes<'a> {
    each: &'a Each,
    walk: Walk<'a, Route>,
    /// Services that are not what they were.
    others: HashSet<(&'a Name, &'a Name)>,
}

impl<'a> Routes<'a> {
    /// By what a route is told apart, where nothing was wrong with it and its services stay.
    pub(super) fn clean(&mut self, route: &Arc<Route>) -> Option<&'a [u64]> {
        let at = self.walk.find(route)?;
        let is_other = |name| self.others.contains(&(&route.meta.namespace, name));
        let touched = !self.others.is_empty()
            && match &route.target {
                Some(Target::Service(name)) => is_other(name),
                Some(Target::Services(shares)) => shares.iter().any(|one| is_other(&one.service)),
                _ => false,
            };
        (self.each.clean[at] && !touched).then(|| self.each.digests(at))
    }
}

impl Facts {
    /// Of this configuration.
    pub(super) fn of(raw: &Config) -> Self {
        Self { raw: Some(raw.clone()), ..Self::default() }
    }

    /// Remembers what a service was taken apart into.
    pub(super) fn took_apart(&mut self, lowered: Lowered) {
        self.apart.insert(address(&lowered.of), lowered);
    }

    /// Remembers what is known of these routes to these services.
    pub(super) fn looked_at(&mut self, config: &Config, each: Each) {
        self.routes = config.routes.clone();
        self.services = config.services.clone();
        self.each = each;
    }

    /// Takes back that nothing is wrong with routes other than these, in their order: they were
    /// looked at by themselves alone, and may be switched on by their namespace.
    pub(super) fn switched_off_but(&mut self, on: impl Iterator<Item = usize>) {
        let mut on = on.peekable();
        for (at, clean) in self.each.clean.iter_mut().enumerate() {
            *clean &= on.next_if_eq(&at).is_some();
        }
    }

    /// Takes back that nothing is wrong with a route.
    pub(super) fn is_not_clean(&mut self, at: usize) {
        self.each.clean[at] = false;
    }

    pub(super) fn each(&self) -> &Each {
        &self.each
    }

    pub(super) fn made(&mut self, plugs: Plugs) {
        self.plugs = plugs;
    }
}

impl Each {
    /// Adds the next route.
    pub(super) fn push(&mut self, clean: bool, digests: &[u64]) {
        self.clean.push(clean);
        self.digests.extend_from_slice(digests);
        self.ends.push(self.digests.len());
    }

    pub(super) fn digests(&self, at: usize) -> &[u64] {
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.digests[begin..self.ends[at]]
    }
}

impl Lowered {
    pub(super) fn new(of: Arc<Service>, bare: Arc<Service>, routes: Vec<Arc<Route>>) -> Self {
        Self { of, bare, routes }
    }
}

/// Where something is. It stays there while somebody holds it.
fn address<T>(one: &Arc<T>) -> usize {
    Arc::as_ptr(one).addr()
}

/// A number for a value: equal ones have the same.
pub(super) fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
