//! What routes say: conditions that can hold, answers that can be given, changes that are made.

use std::sync::Arc;

use portway_plugin::{Problem, value::Quoted};

use super::{Findings, RouteFrom, services::stages};
use crate::resource::{
    Files, ForwardPath, Match, PathMatch, Redirect, Reply, Route, Service, Target, Timeouts,
    TypedPath, ValueMatch,
};

/// A route, with the services it leads to.
pub(super) fn one(
    route: &Route,
    services: &[&Arc<Service>],
    from: RouteFrom,
    findings: &mut Findings,
) {
    conditions(route, from, findings);
    forwarding(route, services, from, findings);
    match &route.target {
        Some(Target::Files(files)) => self::files(files, from, findings),
        Some(Target::Reply(answer)) => reply(answer, from, findings),
        Some(Target::Redirect(redirect)) => self::redirect(redirect, route, from, findings),
        _ => {}
    }
    without_upstream(route, from, findings);
}

fn conditions(route: &Route, from: RouteFrom, findings: &mut Findings) {
    if route.matches.as_slice().is_empty() {
        let problem = Problem::new("empty_match", "the list of matches is empty: nothing fits it");
        let hint = "leave match out to take every request";
        findings.problem(problem.at(format!("{from}.match")).hint(hint));
    }
    for (one, path) in route.matches_at(from) {
        values(&one.headers, &format!("{path}.headers"), findings);
        values(&one.query, &format!("{path}.query"), findings);
        values(&one.client_certificate, &format!("{path}.client_certificate"), findings);
    }
}

fn values<N>(conditions: &[ValueMatch<N>], path: &str, findings: &mut Findings) {
    for (at, condition) in conditions.iter().enumerate() {
        if condition.exact.is_some() && condition.regex.is_some() {
            let message = "the condition has both exact and regex";
            let problem = Problem::new("exact_and_regex", message).at(format!("{path}[{at}]"));
            findings.problem(problem.hint("keep one of them, or write two conditions"));
        }
    }
}

fn forwarding(route: &Route, services: &[&Arc<Service>], from: RouteFrom, findings: &mut Findings) {
    for service in services {
        stages(&route.timeouts, Some(&service.timeouts), &from.to_string(), findings);
        if route.rewrite.is_some() && service.forward_path == ForwardPath::Raw {
            let name = Quoted(service.meta.name.as_str());
            let message = format!(
                "the path is rewritten, but the service {name} gets the client's own spelling"
            );
            let problem = Problem::new("raw_with_rewrite", message).at(format!("{from}.rewrite"));
            findings.problem(problem.hint("leave the rewrite or the service's forward_path out"));
            return;
        }
    }
}

fn reply(reply: &Reply, from: RouteFrom, findings: &mut Findings) {
    if !reply.body.is_empty() && !reply.status.allows_body() {
        let message = format!("an answer with the status {} has no body", reply.status);
        let problem = Problem::new("body_not_allowed", message);
        findings.problem(problem.at(format!("{from}.target.reply.body")));
    }
    for name in reply.headers.keys().filter(|name| name.is_framing()) {
        let message = format!("the field {} is set by the gateway", Quoted(name.as_str()));
        let problem = Problem::new("framing_field", message);
        findings.problem(problem.at(format!("{from}.target.reply.headers")));
    }
}

/// What is said of the folder is looked at, not the folder: it may come later.
fn files(files: &Files, from: RouteFrom, findings: &mut Findings) {
    if files.root.as_os_str().is_empty() {
        let problem = Problem::new("bad_value", "the root of the files is empty");
        let hint = "write . for the folder in which the process was started";
        findings.problem(problem.at(format!("{from}.target.files.root")).hint(hint));
    }
}

fn redirect(redirect: &Redirect, route: &Route, from: RouteFrom, findings: &mut Findings) {
    if redirect.prefix.is_some() {
        let at = format!("{from}.target.redirect.prefix");
        let has_prefix =
            |one: &Match| matches!(one.path, Some(PathMatch::Typed(TypedPath::Prefix(_))));
        if redirect.path.is_some() {
            let problem =
                Problem::new("path_and_prefix", "the redirect has both a path and a prefix");
            findings.problem(problem.at(at).hint("keep one of them"));
            return;
        }
        if !route.matches.as_slice().iter().all(has_prefix) {
            let message = "the redirect replaces a prefix, but the route matches none";
            let hint = "match the path by {prefix: …}, or give the redirect a path";
            findings.problem(Problem::new("no_prefix_match", message).at(at).hint(hint));
            return;
        }
    }
    redirect_loop(redirect, route, from, findings);
}

/// A redirect to where the client already is goes round in circles.
fn redirect_loop(redirect: &Redirect, route: &Route, from: RouteFrom, findings: &mut Findings) {
    if redirect.scheme.is_some() || redirect.port.is_some() {
        return;
    }
    let same_path = |one: &Match| match (&redirect.path, &one.path) {
        (None, Some(PathMatch::Typed(TypedPath::Prefix(from)))) => {
            redirect.prefix.as_ref().is_none_or(|to| to == from)
        }
        (None, _) => true,
        (Some(to), Some(PathMatch::Pattern(pattern))) => to.to_string() == pattern.to_string(),
        (Some(to), Some(PathMatch::Typed(typed))) => typed.exact() == Some(&*to.to_string()),
        (Some(_), None) => false,
    };
    let same_host = |one: &Match| match &redirect.host {
        None => true,
        Some(to) => {
            to.port().is_none() && one.hosts.iter().any(|host| host.exact() == Some(to.as_str()))
        }
    };
    if route.matches.as_slice().iter().any(|one| same_path(one) && same_host(one)) {
        let problem = Problem::new("redirect_loop", "the redirect leads to where it comes from");
        let hint = "change the scheme, the host, the port or the path";
        findings.problem(problem.at(format!("{from}.target.redirect")).hint(hint));
    }
}

/// Warns of what only forwarding would use. Files are found by the rewritten path, and sending
/// them has its limits.
fn without_upstream(route: &Route, from: RouteFrom, findings: &mut Findings) {
    let unused: &[(&str, bool)] = match &route.target {
        Some(Target::Reply(_) | Target::Redirect(_)) => &[
            ("rewrite", route.rewrite.is_some()),
            ("host", route.host.is_some()),
            ("timeouts", route.timeouts != Timeouts::default()),
        ],
        Some(Target::Files(_)) => &[
            ("host", route.host.is_some()),
            ("timeouts.connect", route.timeouts.connect.is_some()),
            ("timeouts.response_header", route.timeouts.response_header.is_some()),
        ],
        Some(Target::Service(_) | Target::Services(_)) | None => return,
    };
    for &(key, there) in unused {
        if there {
            let message = format!("nothing is forwarded, so {key} has no effect");
            findings.warning(Problem::new("no_effect", message).at(format!("{from}.{key}")));
        }
    }
}
