//! What must hold before a configuration may be served. Everything is looked at; all problems are
//! returned together, each with its path in the document, its line and a stable code.
//!
//! A check is pure: it resolves no name, opens no file and binds no port. What it lets through is
//! in its lowered form: every route stands by itself and names its target, what is disabled is
//! gone, and there is a listener.

mod addresses;
mod captures;
mod conflicts;
mod lower;
mod names;
mod routes;
mod salvage;
mod services;
mod targets;

pub(crate) use salvage::salvaged;

use std::ops::Deref;

use portway_plugin::Problem;

use crate::{
    places::Places,
    resource::{Config, Match, Matches, Route},
};

/// A value that has been checked. Only [`check`] makes one.
#[derive(Clone, Debug)]
pub struct Checked<T> {
    value: T,
    warnings: Vec<Problem>,
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
pub fn check(config: Config, places: &Places) -> Result<Checked<Config>, Vec<Problem>> {
    let Inspected { config, findings } = inspect(config, places, &[]);
    let Findings { mut problems, mut warnings } = findings;
    problems.iter_mut().chain(&mut warnings).for_each(|problem| places.locate(problem));
    if problems.is_empty() {
        return Ok(Checked { value: config, warnings });
    }
    problems.sort_by_key(|p| p.place.as_ref().map(|place| (place.line, place.column)));
    Err(problems)
}

/// A configuration in its lowered form, and what was found. Paths are those of the configuration
/// as it came in.
struct Inspected {
    config: Config,
    findings: Findings,
}

fn inspect(config: Config, places: &Places, unread_services: &[String]) -> Inspected {
    let mut findings = Findings::default();
    names::check(&config, places, &mut findings);
    services::check(&config, &mut findings);
    targets::check(&config, unread_services, &mut findings);
    let (config, from) = lower::lower(config, &mut findings);
    let lowered = Lowered { config: &config, from: &from, places };
    routes::check(&lowered, &mut findings);
    captures::check(&lowered, &mut findings);
    conflicts::check(&lowered, &mut findings);
    addresses::check(&lowered, &mut findings);
    Inspected { config, findings }
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
#[derive(Default)]
struct From {
    listeners: Vec<usize>,
    services: Vec<usize>,
    routes: Vec<RouteFrom>,
}

/// A route's path: under a service, or at the top.
#[derive(Clone, Copy)]
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
