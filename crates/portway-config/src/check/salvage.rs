//! Checking what could be read of a document that has problems, so that one run shows them all.
//!
//! What is wrong with a part may be the reason for what a check finds near it: a service without
//! an endpoint, because its endpoint could not be read. Such findings are left out; they come
//! back when they are still true after the first mend.

use std::collections::HashSet;

use portway_plugin::Problem;

use super::{Findings, inspect};
use crate::{load::Read, places::item, resource::Config};

/// Adds the problems of what could be read to those of reading it.
pub(crate) fn salvaged(read: Read, problems: &mut Vec<Problem>) {
    let Read { mut config, places, unread_services, .. } = read;
    let tainted = Tainted::by(problems);
    tainted.take_out(&mut config, |path| {
        let mut problem = Problem::new("", "").at(path);
        places.locate(&mut problem);
        problem.path
    });
    let Findings { problems: found, .. } = inspect(config, &places, &unread_services).findings;
    let known = problems.len();
    for mut problem in found {
        places.locate(&mut problem);
        if !problems[..known].iter().any(|known| related(&known.path, &problem.path)) {
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

/// Whether one is part of the other.
fn related(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    match long.strip_prefix(short) {
        Some(rest) => short.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_related_to_what_they_are_part_of() {
        assert!(related("services[0]", "services[0].url"));
        assert!(related("services[0].url", "services[0]"));
        assert!(related("", "routes"));
        assert!(!related("services[1]", "services[10]"));
        assert!(!related("services[0].ur", "services[0].url"));
        assert!(!related("services[0].url", "services[0].routes"));
    }
}
