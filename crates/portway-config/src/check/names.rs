//! A name is unique among resources of its kind in its namespace.

use hashbrown::{HashMap, hash_map::Entry};
use portway_plugin::{
    Problem,
    value::{Name, Quoted},
};

use super::{Findings, RouteFrom};
use crate::{
    places::Places,
    resource::{Config, Kind, Meta},
};

pub(super) fn check(config: &Config, places: &Places, findings: &mut Findings) {
    let own_check = [Kind::Route];
    for kind in Kind::ALL.iter().filter(|kind| !own_check.contains(kind)) {
        if config.count(*kind) < 2 {
            continue;
        }
        let all = config.resources().filter(|(one, _)| one.kind == *kind);
        let all = all
            .map(|(one, at)| (one.meta, &one.meta.namespace, format!("{}[{at}]", kind.plural())));
        unique(kind.singular(), all, places, findings);
    }
    // Paths of routes are made when they are needed: there may be a hundred thousand.
    let nested = config.services.iter().enumerate().flat_map(|(service, owner)| {
        owner.routes.iter().enumerate().map(move |(route, r)| {
            let namespace = super::lower::namespace(&owner.meta, &r.meta);
            (&r.meta, namespace, RouteFrom { service: Some(service), route })
        })
    });
    let top = config.routes.iter().enumerate();
    let top =
        top.map(|(route, r)| (&r.meta, &r.meta.namespace, RouteFrom { service: None, route }));
    unique("route", nested.chain(top), places, findings);
}

fn unique<'a, P: ToString>(
    kind: &str,
    resources: impl Iterator<Item = (&'a Meta, &'a Name, P)>,
    places: &Places,
    findings: &mut Findings,
) {
    let mut seen: HashMap<(&Name, &Name), P> = HashMap::new();
    for (meta, namespace, path) in resources {
        match seen.entry((namespace, &meta.name)) {
            Entry::Vacant(vacant) => {
                vacant.insert(path);
            }
            Entry::Occupied(first) => {
                let name = Quoted(meta.name.as_str());
                let first = places.named(&first.get().to_string());
                let problem = Problem::new(
                    "duplicate_name",
                    format!("a second {kind} is called {name}; the first one is at {first}"),
                );
                let problem = problem.hint("give one of them another name");
                findings.problem(problem.at(format!("{}.name", path.to_string())));
            }
        }
    }
}
