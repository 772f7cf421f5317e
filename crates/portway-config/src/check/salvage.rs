//! Checking what could be read of a document that has problems, so that one run shows them all.
//!
//! What is wrong with a part may be the reason for what a check finds near it: a service without
//! an endpoint, because its endpoint could not be read. Such findings are left out; they come
//! back when they are still true after the first mend.

use std::collections::HashSet;

use portway_plugin::Problem;

use super::{Findings, inspect};
use crate::{Catalog, load::Read, places::item, resource::Config};

/// Adds the problems of what could be read to those of reading it.
pub(crate) fn salvaged(read: Read, catalog: &Catalog, problems: &mut Vec<Problem>) {
    let Read { mut config, places, unread_services, .. } = read;
    let tainted = Tainted::by(problems);
    tainted.take_out(&mut config, |path| {
        let mut problem = Problem::new("", "").at(path);
        places.locate(&mut problem);
        problem.path
    });
    if config.listeners.is_empty() && problems.iter().any(|p| p.path.starts_with("listeners")) {
        // The default listener is not what was meant, and meets nothing.
        config.probes.enabled = false;
    }
    let Findings { problems: found, .. } =
        inspect(config, &places, catalog, &unread_services).findings;
    let reported = Reported::by(problems);
    for mut problem in found {
        places.locate(&mut problem);
        if !reported.is_near(&problem.path) && !tainted.covers(&problem.path) {
            problems.push(problem);
        }
    }
}

/// Routes whose conditions are not known, so that they cannot be compared with others.
struct Tainted(HashSet<String>);

impl Tainted {
    fn by(problems: &[Problem]) -> Self {
        let route = |problem: &Problem| {
            let (list, index, rest) = item(&problem.path)?;
            let (route, rest) = match rest.strip_prefix('.').and_then(item) {
                Some(("routes", inner, rest)) => (format!("{list}[{index}].routes[{inner}]"), rest),
                _ => (format!("{list}[{index}]"), rest),
            };
            let conditions = [".match", ".priority", ".hosts", ".prefix"];
            conditions.iter().any(|key| rest.starts_with(key)).then_some(route)
        };
        Self(problems.iter().filter_map(route).collect())
    }

    /// Whether what is wrong at `path` may come from conditions that are not known.
    fn covers(&self, path: &str) -> bool {
        let about_paths = [".match", ".rewrite", ".target.redirect"];
        let route = ancestors(path).find(|above| self.0.contains(*above));
        route
            .is_some_and(|route| about_paths.iter().any(|key| path[route.len()..].starts_with(key)))
    }

    /// `name` makes a path in the configuration one in the document.
    fn take_out(&self, config: &mut Config, name: impl Fn(String) -> String) {
        if self.0.is_empty() {
            return;
        }
        let tainted = |path: String| self.0.contains(&name(path));
        for (at, route) in config.routes.iter_mut().enumerate() {
            route.meta.enabled &= !tainted(format!("routes[{at}]"));
        }
        for (at, service) in config.services.iter_mut().enumerate() {
            let all = tainted(format!("services[{at}]"));
            for (inner, route) in service.routes.iter_mut().enumerate() {
                let one = tainted(format!("services[{at}].routes[{inner}]"));
                route.meta.enabled &= !all && !one;
            }
        }
    }
}

/// Where problems have been reported.
struct Reported {
    paths: HashSet<String>,
    /// The paths of everything they are part of.
    around: HashSet<String>,
}

impl Reported {
    fn by(problems: &[Problem]) -> Self {
        let mut around = HashSet::new();
        for problem in problems {
            around.extend(ancestors(&problem.path).map(str::to_owned));
        }
        Self { paths: problems.iter().map(|problem| problem.path.clone()).collect(), around }
    }

    /// Whether a problem was reported in a part of `path`, or in something it is part of.
    fn is_near(&self, path: &str) -> bool {
        self.paths.contains(path)
            || self.around.contains(path)
            || ancestors(path).any(|above| self.paths.contains(above))
    }
}

/// `services[0].url` → `services[0]`, `services`.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices(['.', '[']).map(|(at, _)| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_near_what_they_are_part_of() {
        let near = |reported: &str, found: &str| {
            Reported::by(&[Problem::new("x", "x").at(reported)]).is_near(found)
        };
        assert!(near("services[0]", "services[0].url"));
        assert!(near("services[0].url", "services[0]"));
        assert!(near("services[0].url", "services[0].url"));
        assert!(!near("services[1]", "services[10]"));
        assert!(!near("services[0].ur", "services[0].url"));
        assert!(!near("services[0].url", "services[0].routes"));
    }
}
