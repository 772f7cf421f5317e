//! Checking what could be read of a document that has problems, so that one run shows them all.
//!
//! What is wrong with a part may be the reason for what a check finds near it: a service without
//! an endpoint, because its endpoint could not be read. Such findings are left out; they come
//! back when they are still true after the first mend.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use portway_plugin::Problem;

use super::{Findings, Known, inspect};
use crate::{Catalog, load::Read, places::item, resource::Config};

/// Adds the problems of what could be read to those of reading it.
pub(crate) fn salvaged(read: Read, catalog: &Catalog, problems: &mut Vec<Problem>) {
    let Read { mut config, places, unread_services, .. } = read;
    let tainted = Tainted::by(problems);
    tainted.take_out(&mut config, |path| {
        let mut problem = Problem::new("", "").at(path);
        places.locate(&mut problem);
        problem
    });
    if config.listeners.is_empty() && problems.iter().any(|p| p.path.starts_with("listeners")) {
        // The default listener is not what was meant, and meets nothing.
        config.probes.enabled = false;
    }
    let Findings { problems: found, .. } =
        inspect(config, &places, catalog, &unread_services, &Known::default()).findings;
    let reported = Reported::by(problems);
    for mut problem in found {
        places.locate(&mut problem);
        if !reported.is_near(&problem) && !tainted.covers(&problem) {
            problems.push(problem);
        }
    }
}

/// Routes whose conditions are not known, so that they cannot be compared with others.
struct Tainted(Paths);

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
        let mut routes = Paths::default();
        for problem in problems {
            routes.extend(problem, route(problem));
        }
        Self(routes)
    }

    /// Whether what is wrong at `path` may come from conditions that are not known.
    fn covers(&self, problem: &Problem) -> bool {
        let path = &*problem.path;
        let about_paths = [".match", ".rewrite", ".target.redirect"];
        let route = ancestors(path).find(|above| self.0.has(problem, above));
        route
            .is_some_and(|route| about_paths.iter().any(|key| path[route.len()..].starts_with(key)))
    }

    /// `locate` says where a path of the configuration is in its document.
    fn take_out(&self, config: &mut Config, locate: impl Fn(String) -> Problem) {
        if self.0.0.is_empty() {
            return;
        }
        let tainted = |path: String| {
            let there = locate(path);
            self.0.has(&there, &there.path)
        };
        for (at, route) in config.routes.shared_mut().iter_mut().enumerate() {
            Arc::make_mut(route).meta.enabled &= !tainted(format!("routes[{at}]"));
        }
        for (at, service) in config.services.shared_mut().iter_mut().enumerate() {
            let service = Arc::make_mut(service);
            let all = tainted(format!("services[{at}]"));
            for (inner, route) in service.routes.iter_mut().enumerate() {
                let one = tainted(format!("services[{at}].routes[{inner}]"));
                route.meta.enabled &= !all && !one;
            }
        }
    }
}

/// Paths in documents: `services[0]` of one is not that of another.
#[derive(Default)]
struct Paths(HashMap<String, HashSet<String>>);

impl Paths {
    /// Adds paths in the document of a problem.
    fn extend(&mut self, problem: &Problem, paths: impl IntoIterator<Item = String>) {
        let mut paths = paths.into_iter().peekable();
        if paths.peek().is_some() {
            self.0.entry(file(problem).to_owned()).or_default().extend(paths);
        }
    }

    /// Whether there is this path in the document of a problem.
    fn has(&self, problem: &Problem, path: &str) -> bool {
        self.0.get(file(problem)).is_some_and(|paths| paths.contains(path))
    }
}

fn file(problem: &Problem) -> &str {
    problem.place.as_ref().map_or("", |place| &place.file)
}

/// Where problems have been reported.
#[derive(Default)]
struct Reported {
    paths: Paths,
    /// The paths of everything they are part of.
    around: Paths,
}

impl Reported {
    fn by(problems: &[Problem]) -> Self {
        let mut reported = Self::default();
        for problem in problems {
            reported.paths.extend(problem, [problem.path.clone()]);
            reported.around.extend(problem, ancestors(&problem.path).map(str::to_owned));
        }
        reported
    }

    /// Whether a problem was reported in a part of where this one is, or in something that is
    /// part of.
    fn is_near(&self, problem: &Problem) -> bool {
        let path = &*problem.path;
        self.paths.has(problem, path)
            || self.around.has(problem, path)
            || ancestors(path).any(|above| self.paths.has(problem, above))
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
            let problem = |path: &str| Problem::new("x", "x").at(path);
            Reported::by(&[problem(reported)]).is_near(&problem(found))
        };
        assert!(near("services[0]", "services[0].url"));
        assert!(near("services[0].url", "services[0]"));
        assert!(near("services[0].url", "services[0].url"));
        assert!(!near("services[1]", "services[10]"));
        assert!(!near("services[0].ur", "services[0].url"));
        assert!(!near("services[0].url", "services[0].routes"));
    }
}
