//! Routes lead somewhere: a service that exists, or an answer.

use hashbrown::{HashMap, HashSet};
use portway_plugin::{
    Problem,
    value::{Name, Quoted},
};

use super::{Findings, RouteFrom, lower::namespace};
use crate::{
    resource::{Config, Target},
    walk::closest,
};

/// `others` are the places of the routes at the top that have to be looked at, where it is not all.
/// `unread_services` are there but could not be read: nobody is told they do not exist.
pub(super) fn check(
    config: &Config,
    others: Option<&[usize]>,
    unread_services: &[String],
    findings: &mut Findings,
) {
    let mut services = Services { suggestions: 20, ..Services::default() };
    for service in &config.services {
        services.known.insert((&service.meta.namespace, &service.meta.name));
        services.by_name.entry(&service.meta.name).or_insert(&service.meta.namespace);
    }
    services.unread.extend(unread_services.iter().map(String::as_str));
    for (service, owner) in config.services.iter().enumerate() {
        for (route, nested) in owner.routes.iter().enumerate() {
            let from = RouteFrom { service: Some(service), route };
            if nested.target.is_some() {
                let problem = Problem::new(
                    "nested_target",
                    "a route under a service goes to that service and names no target",
                );
                let hint = "leave the target out, or move the route to the top-level routes";
                findings.problem(problem.at(format!("{from}.target")).hint(hint));
            }
            let own = namespace(&owner.meta, &nested.meta);
            if *own != owner.meta.namespace {
                let problem = Problem::new(
                    "namespace_mismatch",
                    format!("the route is in the namespace {own}, its service is not"),
                );
                findings.problem(problem.at(format!("{from}.namespace")));
            }
        }
    }
    let all = 0..others.map_or(config.routes.len(), <[usize]>::len);
    let places = all.map(|number| others.map_or(number, |others| others[number]));
    for (route, top) in places.map(|at| (at, &config.routes[at])) {
        let from = RouteFrom { service: None, route };
        match &top.target {
            None => findings.problem(
                Problem::new("missing_target", "the route names no target")
                    .at(format!("{from}.target"))
                    .hint("add target: {service: …}, or move the route under its service"),
            ),
            Some(Target::Service(name)) => {
                let path = || format!("{from}.target.service");
                services.must_have(&top.meta.namespace, name, path, findings);
            }
            Some(Target::Services(shares)) => {
                if shares.iter().all(|share| share.weight.get() == 0) {
                    let message = match shares.is_empty() {
                        true => "the target names no service",
                        false => "every service of the target has the weight 0",
                    };
                    let problem = Problem::new("no_weight", message);
                    findings.problem(problem.at(format!("{from}.target.services")));
                }
                for (at, share) in shares.iter().enumerate() {
                    let path = || format!("{from}.target.services[{at}].service");
                    services.must_have(&top.meta.namespace, &share.service, path, findings);
                }
            }
            Some(Target::Files(_) | Target::Reply(_) | Target::Redirect(_)) => {}
        }
    }
}

#[derive(Default)]
struct Services<'a> {
    known: HashSet<(&'a Name, &'a Name)>,
    by_name: HashMap<&'a Name, &'a Name>,
    unread: HashSet<&'a str>,
    /// How many more times a meant name is looked for, which compares all names.
    suggestions: usize,
}

impl Services<'_> {
    fn must_have(
        &mut self,
        ns: &Name,
        name: &Name,
        path: impl Fn() -> String,
        findings: &mut Findings,
    ) {
        if self.known.contains(&(ns, name)) || self.unread.contains(name.as_str()) {
            return;
        }
        let problem = Problem::new(
            "unknown_service",
            format!("there is no service {}", Quoted(name.as_str())),
        );
        let problem = problem.at(path());
        if let Some(other) = self.by_name.get(name) {
            let hint = format!("there is one in the namespace {other}; the route is in {ns}");
            findings.problem(problem.hint(hint));
            return;
        }
        let meant = if self.suggestions == 0 {
            None
        } else {
            self.suggestions -= 1;
            let here = self.known.iter().filter(|(namespace, _)| *namespace == ns);
            let mut names: Vec<_> = here.map(|(_, name)| name.as_str()).collect();
            names.sort_unstable();
            closest(name.as_str(), names.into_iter())
        };
        findings.problem(match meant {
            Some(meant) => problem.hint(format!("did you mean \"{meant}\"?")),
            None => problem,
        });
    }
}
