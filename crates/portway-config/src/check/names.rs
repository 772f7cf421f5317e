//! A name is unique among resources of its kind in its namespace.

use std::collections::{HashMap, hash_map::Entry};

use portway_plugin::{
    Problem,
    value::{Name, Quoted},
};

use super::{Findings, RouteFrom};
use crate::{
    places::Places,
    resource::{Config, Meta},
};

pub(super) fn check(config: &Config, places: &Places, findings: &mut Findings) {
    let listeners = config.listeners.iter().enumerate();
    let listeners =
        listeners.map(|(at, l)| (&l.meta, &l.meta.namespace, format!("listeners[{at}]")));
    unique("listener", listeners, places, findings);

    let services = config.services.iter().enumerate();
    let services = services.map(|(at, s)| (&s.meta, &s.meta.namespace, format!("services[{at}]")));
    unique("service", services, places, findings);

    let plugins = config.plugins.iter().enumerate();
    let plugins = plugins.map(|(at, p)| (&p.meta, &p.meta.namespace, format!("plugins[{at}]")));
    unique("plugin", plugins, places, findings);

    let consumers = config.consumers.iter().enumerate();
    let consumers =
        consumers.map(|(at, c)| (&c.meta, &c.meta.namespace, format!("consumers[{at}]")));
    unique("consumer", consumers, places, findings);

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
