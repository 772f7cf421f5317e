//! Namespaces exist, domains are told apart, and what they show exists.

use hashbrown::{HashMap, HashSet};
use portway_plugin::{
    Problem,
    value::{Name, Quoted},
};

use super::{Findings, lower::namespace};
use crate::{
    places::Places,
    resource::{Config, DocumentSchema},
    walk::closest,
};

pub(super) fn check(config: &Config, places: &Places, findings: &mut Findings) {
    let known: HashSet<&Name> = config.namespaces.iter().map(|one| &one.meta.name).collect();
    let exists = |name: &Name| name.is_default_namespace() || known.contains(name);
    let mut missing: HashMap<&Name, String> = HashMap::new();
    for (one, at) in config.resources() {
        let namespace = &one.meta.namespace;
        if !one.kind.is_namespaced() && !namespace.is_default_namespace() {
            let message = "a namespace is in no namespace";
            let path = format!("{}[{at}].namespace", one.kind.plural());
            findings.problem(Problem::new("unknown_namespace", message).at(path));
        } else if !exists(namespace) {
            let path = || format!("{}[{at}].namespace", one.kind.plural());
            missing.entry(namespace).or_insert_with(path);
        }
    }
    for (at, service) in config.services.iter().enumerate() {
        for (inner, route) in service.routes.iter().enumerate() {
            let own = namespace(&service.meta, &route.meta);
            let path = || format!("services[{at}].routes[{inner}].namespace");
            if !exists(own) && *own != service.meta.namespace {
                missing.entry(own).or_insert_with(path);
            }
        }
    }
    // One problem for each, however many resources are in it.
    let mut missing: Vec<_> = missing.into_iter().collect();
    missing.sort_unstable();
    for (name, path) in missing {
        let message = format!("there is no namespace {}", Quoted(name.as_str()));
        let problem = Problem::new("unknown_namespace", message).at(path);
        let names = known.iter().map(|name| name.as_str()).chain(["default"]);
        findings.problem(match closest(name.as_str(), names) {
            Some(meant) => problem.hint(format!("did you mean \"{meant}\"?")),
            None => problem.hint(format!("declare it: namespaces: [{{name: {name}}}]")),
        });
    }
    domains(config, places, findings);
    for (at, collection) in config.collections.iter().enumerate() {
        if let Err(problem) = DocumentSchema::of(&collection.schema) {
            let path = format!("collections[{at}].{}", problem.path);
            findings.problem(problem.at(path));
        }
    }
}

fn domains(config: &Config, places: &Places, findings: &mut Findings) {
    let certificates: HashSet<_> =
        config.certificates.iter().map(|one| (&one.meta.namespace, &one.meta.name)).collect();
    let mut seen: HashMap<(i32, &str), String> = HashMap::new();
    for (at, domain) in config.domains.iter().enumerate() {
        if domain.patterns.is_empty() {
            let problem = Problem::new("empty_match", "the domain has no pattern");
            findings.problem(problem.at(format!("domains[{at}].patterns")));
        }
        for (number, pattern) in domain.patterns.iter().enumerate() {
            let path = format!("domains[{at}].patterns[{number}]");
            if let Some(first) = seen.insert((domain.priority, pattern.as_str()), path.clone()) {
                let first = places.named(&first);
                let message = format!(
                    "the pattern {} is another domain's of this priority too: {first}",
                    Quoted(pattern.as_str())
                );
                let problem = Problem::new("duplicate_pattern", message)
                    .hint("give one of the domains a higher priority");
                findings.problem(problem.at(path));
            }
        }
        if let Some(name) = &domain.certificate
            && !certificates.contains(&(&domain.meta.namespace, name))
        {
            let message = format!(
                "the namespace {} has no certificate {}",
                domain.meta.namespace,
                Quoted(name.as_str())
            );
            let problem = Problem::new("unknown_certificate", message);
            findings.problem(problem.at(format!("domains[{at}].certificate")));
        }
    }
}
