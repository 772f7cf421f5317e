//! Paths that are made of captures, and prefixes that are taken off.

use std::{collections::HashSet, sync::Arc};

use portway_plugin::{
    Problem,
    value::{PathPrefix, Quoted, Segment},
};

use super::{Findings, RouteFrom};
use crate::{
    resource::{Balance, HashKey, Match, PathMatch, Rewrite, Route, Service, Target, TypedPath},
    walk::closest,
};

pub(super) fn one(route: &Route, from: RouteFrom, findings: &mut Findings) {
    match &route.rewrite {
        Some(Rewrite::Path(template)) => {
            let captures: Vec<_> = template.captures().collect();
            must_be_captured(&captures, route, from, "rewrite.path", findings);
        }
        Some(Rewrite::StripPrefix(prefix)) => strip(prefix, route, from, findings),
        None => {}
    }
    if let Some(Target::Redirect(redirect)) = &route.target
        && let Some(template) = &redirect.path
    {
        let captures: Vec<_> = template.captures().collect();
        must_be_captured(&captures, route, from, "target.redirect.path", findings);
    }
}

/// Every match must provide every capture: which of them takes a request is not known before.
pub(super) fn must_be_captured(
    captures: &[&str],
    route: &Route,
    from: RouteFrom,
    key: &str,
    findings: &mut Findings,
) {
    let mut reported = HashSet::new();
    for one in route.matches.as_slice() {
        let provided = provided(one);
        for &capture in captures {
            if provided.iter().any(|name| name == capture) || !reported.insert(capture.to_owned()) {
                continue;
            }
            let message = match &one.path {
                Some(path) => format!("{path} captures no {}", Quoted(capture)),
                None => format!("the match has no path to capture {}", Quoted(capture)),
            };
            let problem = Problem::new("unknown_capture", message).at(format!("{from}.{key}"));
            let meant = closest(capture, provided.iter().map(String::as_str));
            findings.problem(match (meant, provided.as_slice()) {
                (Some(meant), _) => problem.hint(format!("did you mean {{{meant}}}?")),
                (None, []) => problem,
                (None, names) => problem.hint(format!("it captures {}", names.join(", "))),
            });
        }
    }
}

/// Warns of a route that captures nothing by which a service of it chooses an endpoint: its
/// requests are served, in turn.
pub(super) fn hashed(
    route: &Route,
    services: &[&Arc<Service>],
    from: RouteFrom,
    findings: &mut Findings,
) {
    for service in services {
        let Balance::ConsistentHash(HashKey::PathParameter(name)) = &service.balance else {
            continue;
        };
        let without = route.matches_at(from).find_map(|(one, path)| {
            let provided = provided(one);
            let there = provided.iter().any(|other| other == name);
            (!there).then_some((path, provided))
        });
        let Some((path, provided)) = without else { continue };
        let message = format!(
            "the service {} chooses an endpoint by {}, which is not captured here: requests take turns",
            Quoted(service.meta.name.as_str()),
            Quoted(name),
        );
        let warning = Problem::new("no_hash_key", message).at(path);
        findings.warning(match closest(name, provided.iter().map(String::as_str)) {
            Some(meant) => warning.hint(format!("did you mean path_parameter: {meant}?")),
            None => warning.hint(format!("capture it, as in /users/{{{name}}}")),
        });
    }
}

/// The captures of a match. The named groups of an expression count.
fn provided(one: &Match) -> Vec<String> {
    match &one.path {
        Some(PathMatch::Pattern(pattern)) => pattern.captures().map(str::to_owned).collect(),
        Some(PathMatch::Typed(TypedPath::Regex(regex))) => {
            regex.compile().capture_names().flatten().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn strip(prefix: &PathPrefix, route: &Route, from: RouteFrom, findings: &mut Findings) {
    for one in route.matches.as_slice() {
        let Some(path) = one.path.as_ref().filter(|path| !may_begin_with(path, prefix)) else {
            continue;
        };
        let message = format!("no path of {path} begins with {}", Quoted(prefix.as_str()));
        let problem = Problem::new("useless_strip_prefix", message);
        findings.problem(problem.at(format!("{from}.rewrite.strip_prefix")));
        return;
    }
}

/// Whether some path that fits begins with the prefix. Of an expression nobody knows.
fn may_begin_with(path: &PathMatch, prefix: &PathPrefix) -> bool {
    match path {
        PathMatch::Pattern(pattern) => {
            let mut segments = pattern.segments().iter();
            prefix.segments().all(|wanted| match segments.next() {
                Some(Segment::Literal(text)) => **text == *wanted,
                Some(Segment::Rest(_)) => {
                    // Takes this segment and all that follow.
                    segments = [].iter();
                    true
                }
                Some(Segment::Regex { regex, .. }) => regex.is_match(wanted),
                Some(Segment::Param(_) | Segment::Parts(_)) => true,
                None => matches!(pattern.segments().last(), Some(Segment::Rest(_))),
            })
        }
        PathMatch::Typed(TypedPath::Exact(path)) => prefix.strip(path.as_str()).is_some(),
        PathMatch::Typed(TypedPath::Prefix(path)) => {
            prefix.strip(path.as_str()).is_some() || path.strip(prefix.as_str()).is_some()
        }
        PathMatch::Typed(TypedPath::Regex(_)) => true,
    }
}
