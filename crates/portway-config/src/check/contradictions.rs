//! Plugins that contradict each other: two of a kind where one can be, and what stands behind a
//! plugin that answers every request.
//!
//! Only what is sure to be at work counts: an attachment with a condition and one that only reports
//! contradict nothing. What a narrower level has switched off or taken the place of is not there.

use std::collections::{BTreeMap, BTreeSet};

use portway_plugin::{Claim, Problem, value::Quoted};

use super::{Findings, Lowered};
use crate::{
    plugged::{Level, Plugs, Step, Way},
    resource::Service,
};

pub(super) fn check(lowered: &Lowered<'_>, plugs: &Plugs, findings: &mut Findings) {
    let claims = |claim| plugs.iter().any(|(_, plugged)| plugged.instance.claim() == claim);
    let (only, every) = (claims(Claim::OnlyOne), claims(Claim::EveryRequest));
    if !only && !every {
        return;
    }
    let mut found = Found::default();
    for way in ways(lowered) {
        let chain = lowered.config.chain(way);
        if only {
            found.twice(&chain, plugs);
        }
        if every {
            found.behind(&chain, plugs);
        }
    }
    report(&found, lowered, findings);
}

/// All ways, also those to endpoints that have plugins.
fn ways<'a>(lowered: &Lowered<'a>) -> Vec<Way<'a>> {
    let has_plugins = |service: &Service, at: &usize| !service.endpoints[*at].plugins.is_empty();
    let mut ways = lowered.config.ways();
    let to_endpoints: Vec<_> = ways
        .iter()
        .filter_map(|way| Some((way, way.service?)))
        .flat_map(|(way, service)| {
            let numbers = (0..service.endpoints.len()).filter(|at| has_plugins(service, at));
            numbers.map(|at| Way { endpoint: Some(at), ..*way })
        })
        .collect();
    ways.extend(to_endpoints);
    ways
}

/// Where something is attached: the level, its number there, what it is called.
type Spot = (Level, usize, Box<str>);

#[derive(Default)]
struct Found {
    /// The inner one of two, with the outer one.
    twice: BTreeMap<Spot, Spot>,
    /// What stands behind a plugin that answers every request, with that plugin.
    behind: BTreeMap<Spot, Spot>,
    /// What requests come to, by some way.
    reached: BTreeSet<Spot>,
}

impl Found {
    fn twice(&mut self, chain: &[Step<'_>], plugs: &Plugs) {
        let mut earlier: Vec<(&str, &Step<'_>)> = Vec::new();
        for step in chain {
            let Some((kind, Claim::OnlyOne)) = claim(step, plugs) else { continue };
            // One at an endpoint cannot take a wider one's place, and has the last word anyway.
            let meets = |other: &Step<'_>| {
                step.level == other.level || !matches!(step.level, Level::Endpoint(..))
            };
            if let Some((_, other)) = earlier.iter().find(|(of, one)| *of == kind && meets(one)) {
                self.twice.entry(spot(step)).or_insert_with(|| spot(other));
            }
            earlier.push((kind, step));
        }
    }

    fn behind(&mut self, chain: &[Step<'_>], plugs: &Plugs) {
        let answers = |step: &Step<'_>| {
            claim(step, plugs).is_some_and(|(_, claim)| claim == Claim::EveryRequest)
        };
        let last = chain.iter().position(answers).unwrap_or(chain.len());
        let (reached, behind) = chain.split_at(chain.len().min(last + 1));
        self.reached.extend(reached.iter().map(spot));
        for step in behind {
            self.behind.entry(spot(step)).or_insert_with(|| spot(&chain[last]));
        }
    }
}

/// What is sure to be at work, and what it claims: the plugin's name and its claim.
fn claim<'a>(step: &Step<'_>, plugs: &'a Plugs) -> Option<(&'a str, Claim)> {
    if step.attachment.when.is_some() || step.attachment.dry_run {
        return None;
    }
    let instance = &plugs.get(&step.id)?.instance;
    Some((instance.name(), instance.claim()))
}

fn spot(step: &Step<'_>) -> Spot {
    (step.level.clone(), step.at, step.called.clone())
}

fn report(found: &Found, lowered: &Lowered<'_>, findings: &mut Findings) {
    for (inner, outer) in &found.twice {
        let ((_, _, called), (_, _, other)) = (inner, outer);
        let (path, other_path) = (path(lowered, inner), path(lowered, outer));
        let message = format!(
            "{} and {} ({}) would both be at work for the same requests, and only one can be",
            Quoted(called),
            Quoted(other),
            lowered.places.named(&other_path),
        );
        let hint = if inner.0 == outer.0 {
            "leave one of them out, or give them conditions".to_owned()
        } else {
            format!("add `replace: {other}` to take the place of the wider one")
        };
        let problem = Problem::new("contradicting_plugins", message);
        findings.problem(problem.at(path).hint(hint));
    }
    let unreached = found.behind.iter().filter(|(spot, _)| !found.reached.contains(*spot));
    for (inner, outer) in unreached {
        let ((_, _, called), (_, _, other)) = (inner, outer);
        let (path, other_path) = (path(lowered, inner), path(lowered, outer));
        let message = format!(
            "no request comes as far as {}: {} ({}) answers all of them",
            Quoted(called),
            Quoted(other),
            lowered.places.named(&other_path),
        );
        if inner.0 == outer.0 {
            let hint = "put it before the other one, or leave it out";
            let problem = Problem::new("contradicting_plugins", message);
            findings.problem(problem.at(path).hint(hint));
        } else {
            // That is how a part of a gateway is taken out of service for a while.
            findings.warning(Problem::new("unreached_plugin", message).at(path));
        }
    }
}

/// Where it stands in the configuration as it came in.
fn path(lowered: &Lowered<'_>, (level, at, _): &Spot) -> String {
    let config = lowered.config;
    let number = |found: Option<usize>| found.unwrap_or_default();
    let lowered_path = match level {
        Level::Global => format!("global_plugins[{at}]"),
        Level::Listener(..) => {
            let listener = number(config.listeners.iter().position(|one| one.level() == *level));
            format!("listeners[{listener}].plugins[{at}]")
        }
        Level::Service(..) => {
            let service = number(config.services.iter().position(|one| one.level() == *level));
            format!("services[{service}].plugins[{at}]")
        }
        Level::Route(..) => {
            let route = number(config.routes.iter().position(|one| one.level() == *level));
            format!("routes[{route}].plugins[{at}]")
        }
        Level::Endpoint(namespace, name, endpoint) => {
            let of = Level::Service(namespace.clone(), name.clone());
            let service = number(config.services.iter().position(|one| one.level() == of));
            format!("services[{service}].endpoints[{endpoint}].plugins[{at}]")
        }
    };
    lowered.from.declared(&lowered_path)
}
