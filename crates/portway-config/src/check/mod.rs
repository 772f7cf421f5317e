//! What must hold before a configuration may be served. Everything is looked at; all problems are
//! returned together, each with its path in the document, its line and a stable code.
//!
//! A check is pure: it resolves no name, opens no file and binds no port. What it lets through is
//! in its lowered form: every route stands by itself and names its target, what is disabled is
//! gone, and there is a listener.

mod addresses;
mod admin;
mod captures;
mod conflicts;
mod consumers;
mod contradictions;
mod known;
mod listeners;
mod lower;
mod names;
mod namespaces;
mod plugins;
mod protocols;
mod routes;
mod salvage;
mod services;
mod sockets;
mod targets;
mod templates;
#[cfg(not(feature = "credentials"))]
#[path = "no_token_keys.rs"]
mod token_keys;
#[cfg(feature = "credentials")]
mod token_keys;

pub use known::Known;
pub(crate) use salvage::salvaged;

use std::{ops::Deref, sync::Arc};

use hashbrown::HashMap;
use portway_plugin::{Problem, balance::Balancers, value::Name};

use self::known::{Each, Facts};
use crate::{
    Catalog,
    places::{Places, item},
    plugged::Plugs,
    resource::{Config, Kind, Match, Matches, Route, Service, Target},
};

/// A value that has been checked. Only [`check`] makes one.
#[derive(Clone, Debug)]
pub struct Checked<T> {
    value: T,
    warnings: Vec<Problem>,
    from: From,
    plugs: Plugs,
    known: Known,
    balancers: Balancers,
}

impl<T> Checked<T> {
    /// What is worth saying though nothing is wrong.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The value, which is not known to be checked any more.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl Checked<Config> {
    /// With something else that is worth saying, before the rest.
    pub(crate) fn with_warnings(mut self, warnings: Vec<Problem>) -> Self {
        self.warnings.splice(0..0, warnings);
        self
    }

    /// What the check has found out, for the check of what comes next.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// The instances of plugins it makes.
    #[must_use]
    pub fn plugs(&self) -> &Plugs {
        &self.plugs
    }

    /// What makes the balancers that its services name.
    #[must_use]
    pub fn balancers(&self) -> &Balancers {
        &self.balancers
    }

    /// Whether a resource of the lowered configuration was declared. A listener may be there
    /// without that, because there has to be one.
    #[must_use]
    pub fn is_declared(&self, kind: Kind, at: usize) -> bool {
        kind != Kind::Listener || at < self.from.listeners.len()
    }

    /// What `path` of the lowered configuration (`routes[7].match`) is in the configuration it
    /// comes from (`services[1].routes[2].match`), where [`Places`] finds it.
    #[must_use]
    pub fn declared_path(&self, path: &str) -> String {
        self.from.declared(path)
    }
}

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Checks a configuration and lowers it: routes under services become routes of their own with
/// their service as the target, its hosts and its prefix; disabled resources are left out; where
/// there is no listener, one named `web` binds `0.0.0.0:8080`.
///
/// # Errors
/// Everything that is wrong.
pub fn check(
    config: Config,
    places: &Places,
    catalog: &Catalog,
) -> Result<Checked<Config>, Vec<Problem>> {
    check_knowing(config, places, catalog, &Known::default())
}

/// The same, where what did not change since an earlier check is not looked at again.
///
/// # Errors
/// Everything that is wrong.
pub fn check_knowing(
    config: Config,
    places: &Places,
    catalog: &Catalog,
    known: &Known,
) -> Result<Checked<Config>, Vec<Problem>> {
    let Inspected { config, from, plugs, findings, known } =
        inspect(config, places, catalog, &[], known);
    let Findings { mut problems, mut warnings } = findings;
    problems.iter_mut().chain(&mut warnings).for_each(|problem| places.locate(problem));
    if problems.is_empty() {
        let balancers = catalog.registry().balancers().clone();
        return Ok(Checked { value: config, warnings, from, plugs, known, balancers });
    }
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    Err(problems)
}

/// A configuration in its lowered form, and what was found. Paths are those of the configuration
/// as it came in.
struct Inspected {
    config: Config,
    from: From,
    plugs: Plugs,
    findings: Findings,
    known: Known,
}

fn inspect(
    config: Config,
    places: &Places,
    catalog: &Catalog,
    unread_services: &[String],
    known: &Known,
) -> Inspected {
    let mut findings = Findings::default();
    let mut facts = Facts::of(&config);
    let others = known.other_routes(&config);
    if others.is_none() {
        names::check(&config, places, &mut findings);
        namespaces::check(&config, places, &mut findings);
    }
    listeners::check(&config, catalog, &mut findings);
    sockets::check(&config, &mut findings);
    admin::check(&config, places, &mut findings);
    services::check(&config, catalog, &mut findings);
    targets::check(&config, others.as_deref(), unread_services, &mut findings);
    let plugs = plugins::check(&config, catalog, known.plugs(), &mut findings);
    facts.made(plugs.clone());
    consumers::check(&config, places, &mut findings);
    let (mut config, mut from) = lower::lower(config, known, &mut facts, &mut findings);
    let lowered = Lowered { config: &config, from: &from, places };
    let mut seen = one_by_one(&lowered, known, &mut facts, &mut findings);
    // What is switched off meets nothing, but it has been looked at.
    lower::switch_off(&mut config, &mut from, &mut seen, &mut findings);
    facts.switched_off_but(seen.iter().map(|one| one.at));
    let lowered = Lowered { config: &config, from: &from, places };
    protocols::check(&lowered, &seen, &mut facts, &mut findings);
    conflicts::check(&lowered, &seen, facts.each(), &mut findings);
    contradictions::check(&lowered, &plugs, &mut findings);
    addresses::check(&lowered, &mut findings);
    lower::add_admin(&mut config, &mut from);
    Inspected { config, from, plugs, findings, known: Known::new(facts) }
}

/// A route that was looked at by itself.
#[derive(Clone, Copy)]
struct Seen {
    /// Its place, before what is switched off was dropped.
    at: usize,
    /// Whether it was known that nothing is wrong with it.
    known: bool,
}

/// Looks at each route by itself, with its services.
fn one_by_one(
    lowered: &Lowered<'_>,
    known: &Known,
    facts: &mut Facts,
    findings: &mut Findings,
) -> Vec<Seen> {
    let services = ByName::new(lowered.config);
    let mut earlier = known.routes(&lowered.config.services);
    let (mut each, mut seen) = (Each::default(), Vec::new());
    for (at, (route, from)) in lowered.shared_routes().enumerate() {
        if let Some(digests) = earlier.clean(route) {
            each.push(true, digests);
            seen.push(Seen { at, known: true });
            continue;
        }
        let before = findings.count();
        routes::one(route, &services.of(route), from, findings);
        captures::one(route, from, findings);
        captures::hashed(route, &services.of(route), from, findings);
        templates::one(route, from, findings);
        each.push(findings.count() == before, &conflicts::digests(route));
        seen.push(Seen { at, known: false });
    }
    facts.looked_at(lowered.config, each);
    seen
}

/// The services of a configuration.
struct ByName<'a>(HashMap<(&'a Name, &'a Name), &'a Arc<Service>>);

impl<'a> ByName<'a> {
    fn new(config: &'a Config) -> Self {
        let services = config.services.shared().iter();
        Self(services.map(|one| ((&one.meta.namespace, &one.meta.name), one)).collect())
    }

    /// Those that a route leads to.
    fn of(&self, route: &Route) -> Vec<&'a Arc<Service>> {
        let find = |name| self.0.get(&(&route.meta.namespace, name)).copied();
        match &route.target {
            Some(Target::Service(name)) => find(name).into_iter().collect(),
            Some(Target::Services(shares)) => {
                shares.iter().filter_map(|share| find(&share.service)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What the checks find.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Findings {
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn count(&self) -> usize {
        self.problems.len() + self.warnings.len()
    }

    fn warning(&mut self, warning: Problem) {
        self.warnings.push(warning);
    }
}

/// A lowered configuration and where its resources come from.
struct Lowered<'a> {
    config: &'a Config,
    from: &'a From,
    places: &'a Places,
}

/// The paths of lowered resources in the configuration they come from.
#[derive(Clone, Debug, Default)]
struct From {
    listeners: Vec<usize>,
    services: Vec<usize>,
    routes: Vec<RouteFrom>,
    /// The listener of the admin API, which is declared apart.
    admin: Option<usize>,
}

impl From {
    fn declared(&self, path: &str) -> String {
        let Some((list, index, rest)) = item(path) else { return path.to_owned() };
        let declared = match list {
            "listeners" if self.admin == Some(index) => Some("admin".to_owned()),
            "listeners" => self.listeners.get(index).map(|at| format!("listeners[{at}]")),
            "services" => self.services.get(index).map(|at| format!("services[{at}]")),
            "routes" => self.routes.get(index).map(RouteFrom::to_string),
            _ => None,
        };
        declared.map_or_else(|| path.to_owned(), |declared| format!("{declared}{rest}"))
    }
}

/// A route's path: under a service, or at the top.
#[derive(Clone, Copy, Debug)]
struct RouteFrom {
    service: Option<usize>,
    route: usize,
}

impl std::fmt::Display for RouteFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.service {
            Some(service) => write!(f, "services[{service}].routes[{}]", self.route),
            None => write!(f, "routes[{}]", self.route),
        }
    }
}

impl<'a> Lowered<'a> {
    /// Each route with its path.
    fn routes(&self) -> impl Iterator<Item = (&'a Route, RouteFrom)> {
        self.config.routes.iter().zip(self.from.routes.iter().copied())
    }

    /// The same, as they are shared.
    fn shared_routes(&self) -> impl Iterator<Item = (&'a Arc<Route>, RouteFrom)> {
        self.config.routes.shared().iter().zip(self.from.routes.iter().copied())
    }
}

impl Route {
    /// Each match with its path below `route`: `.match` alone, or `.match[1]` of several.
    fn matches_at(&self, route: RouteFrom) -> impl Iterator<Item = (&Match, String)> {
        let several = matches!(self.matches, Matches::Any(_));
        self.matches.as_slice().iter().enumerate().map(move |(index, one)| {
            let path =
                if several { format!("{route}.match[{index}]") } else { format!("{route}.match") };
            (one, path)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Catalog, expand::NoLookup, load::load};

    #[test]
    fn lowered_parts_are_found_where_they_were_declared() {
        let text = "
listeners: [{name: a, bind: ':1', enabled: false}, {name: b, bind: ':2'}]
services:
  - {name: off, enabled: false, url: 'http://a', routes: [{name: off}]}
  - {name: on, url: 'http://a', routes: [{name: off-too, enabled: false}, {name: on}]}
routes: [{name: top, match: {path: /x}, target: {service: on}}]
";
        let loaded = load(text, "f.yaml", &NoLookup, &Catalog::default()).unwrap();
        let places = loaded.places.clone();
        let checked = loaded.check().unwrap();
        for (lowered, declared, line) in [
            ("listeners[0].bind", "listeners[1].bind", 2),
            ("services[0].url", "services[1].url", 5),
            ("routes[0]", "services[1].routes[1]", 5),
            ("routes[1].match.path", "routes[0].match.path", 6),
            ("probes.bind", "probes.bind", 2),
        ] {
            let path = checked.declared_path(lowered);
            assert_eq!(path, declared);
            assert_eq!(places.place(&path).unwrap().line, line, "{path}");
        }
    }
}
