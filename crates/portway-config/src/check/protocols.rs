//! Routes, their listeners and their services speak of the same thing.

use std::sync::Arc;

use portway_plugin::{
    Problem,
    value::{Name, Quoted},
};

use super::{ByName, Findings, Lowered, RouteFrom, Seen, known::Facts};
use crate::{
    resource::{List, Listener, ListenerProtocol, Match, Route, Service, Target},
    walk::closest,
};

/// `seen` are the routes, in their order.
pub(super) fn check(
    lowered: &Lowered<'_>,
    seen: &[Seen],
    facts: &mut Facts,
    findings: &mut Findings,
) {
    let services = ByName::new(lowered.config);
    for ((route, from), seen) in lowered.routes().zip(seen) {
        // Listeners are few: whoever names one is looked at each time.
        if seen.known && route.listeners.is_empty() {
            continue;
        }
        let before = findings.count();
        one(route, &services.of(route), from, &lowered.config.listeners, findings);
        if findings.count() > before {
            facts.is_not_clean(seen.at);
        }
    }
    idle_listeners(lowered, findings);
}

fn one(
    route: &Route,
    services: &[&Arc<Service>],
    from: RouteFrom,
    listeners: &List<Listener>,
    findings: &mut Findings,
) {
    for (at, name) in route.listeners.iter().enumerate() {
        named(name, route, listeners, &format!("{from}.listeners[{at}]"), findings);
    }
    if route.protocol == ListenerProtocol::Http {
        for (one, path) in route.matches_at(from) {
            if !one.sni.is_empty() {
                let message = "a route for requests has no sni: its hosts are compared";
                let problem = Problem::new("foreign_match", message).at(format!("{path}.sni"));
                findings.problem(problem.hint("use hosts, or set protocol: tls on the route"));
            }
        }
    } else {
        stream(route, from, findings);
    }
    for service in services {
        endpoints(route, service, from, findings);
    }
}

/// A listener that a route names is there, and is of the route's protocol.
fn named(
    name: &Name,
    route: &Route,
    listeners: &List<Listener>,
    path: &str,
    findings: &mut Findings,
) {
    let default = listeners.is_empty() && name.as_str() == "web";
    let found = listeners.iter().find(|listener| listener.meta.name == *name);
    let Some(listener) = found else {
        if !default {
            let message = format!("there is no listener {}", Quoted(name.as_str()));
            let problem = Problem::new("unknown_listener", message).at(path);
            let names = listeners.iter().map(|listener| listener.meta.name.as_str());
            findings.problem(match closest(name.as_str(), names) {
                Some(meant) => problem.hint(format!("did you mean \"{meant}\"?")),
                None => problem,
            });
        }
        return;
    };
    if !takes(listener, route.protocol) {
        let message = format!(
            "a route of the protocol {} cannot take what comes to {}, which speaks {}",
            route.protocol.as_str(),
            Quoted(name.as_str()),
            listener.protocol.as_str(),
        );
        let hint = format!("set protocol: {} on the route", listener.protocol.as_str());
        findings.problem(Problem::new("protocol_mismatch", message).at(path).hint(hint));
    }
}

/// TLS can be passed on unopened where it is ended otherwise: the name asked for decides.
fn takes(listener: &Listener, protocol: ListenerProtocol) -> bool {
    listener.protocol == protocol
        || (protocol == ListenerProtocol::Tls
            && listener.protocol == ListenerProtocol::Http
            && listener.tls.is_some())
}

/// A route that takes no requests has none of what only requests have.
fn stream(route: &Route, from: RouteFrom, findings: &mut Findings) {
    let protocol = route.protocol.as_str();
    let mut foreign = |path: String| {
        let message = format!("a route of the protocol {protocol} sees no request");
        let hint = match route.protocol {
            ListenerProtocol::Tls => "leave it out: such a route is matched by sni alone",
            _ => "leave it out: such a route takes all that comes to its listeners",
        };
        findings.problem(Problem::new("foreign_match", message).at(path).hint(hint));
    };
    for (one, path) in route.matches_at(from) {
        for key in http_conditions(one) {
            foreign(format!("{path}.{key}"));
        }
        if !one.sni.is_empty() && route.protocol != ListenerProtocol::Tls {
            foreign(format!("{path}.sni"));
        }
    }
    let http_only = [
        ("rewrite", route.rewrite.is_some()),
        ("host", route.host.is_some()),
        ("body_limit", route.body_limit.is_some()),
    ];
    for (key, _) in http_only.iter().filter(|(_, there)| *there) {
        foreign(format!("{from}.{key}"));
    }
    if !matches!(route.target, None | Some(Target::Service(_) | Target::Services(_))) {
        let message = format!("a route of the protocol {protocol} goes to a service");
        findings.problem(Problem::new("foreign_target", message).at(format!("{from}.target")));
    }
}

fn http_conditions(one: &Match) -> impl Iterator<Item = &'static str> {
    let there = [
        ("hosts", !one.hosts.is_empty()),
        ("methods", !one.methods.is_empty()),
        ("path", one.path.is_some()),
        ("headers", !one.headers.is_empty()),
        ("query", !one.query.is_empty()),
        ("client_certificate", !one.client_certificate.is_empty()),
    ];
    there.into_iter().filter_map(|(key, there)| there.then_some(key))
}

/// A service is spoken to in the route's protocol.
fn endpoints(route: &Route, service: &Service, from: RouteFrom, findings: &mut Findings) {
    let fits = |scheme: &str| match route.protocol {
        ListenerProtocol::Http | ListenerProtocol::Admin => {
            matches!(scheme, "http" | "https" | "h2c")
        }
        ListenerProtocol::Tcp | ListenerProtocol::Tls => scheme == "tcp",
        ListenerProtocol::Udp => scheme == "udp",
    };
    let misfit = service.endpoints().find(|(url, _)| !fits(url.scheme().as_str()));
    if let Some((url, _)) = misfit {
        let message = format!(
            "a route of the protocol {} cannot go to {url} of the service {}",
            route.protocol.as_str(),
            Quoted(service.meta.name.as_str()),
        );
        let hint = match route.protocol {
            ListenerProtocol::Http | ListenerProtocol::Admin => {
                "give the service http://, https:// or h2c:// endpoints"
            }
            ListenerProtocol::Tcp | ListenerProtocol::Tls => "give the service tcp:// endpoints",
            ListenerProtocol::Udp => "give the service udp:// endpoints",
        };
        let path = match from.service {
            Some(_) => from.to_string(),
            None => format!("{from}.target"),
        };
        findings.problem(Problem::new("endpoint_mismatch", message).at(path).hint(hint));
    }
}

/// Warns of listeners of which no route takes anything.
fn idle_listeners(lowered: &Lowered<'_>, findings: &mut Findings) {
    for (listener, from) in lowered.config.listeners.iter().zip(&lowered.from.listeners) {
        let name = &listener.meta.name;
        let reached = |route: &Route| {
            takes(listener, route.protocol)
                && (route.listeners.is_empty() || route.listeners.contains(name))
        };
        if listener.protocol != ListenerProtocol::Http && !lowered.config.routes.iter().any(reached)
        {
            let message = format!(
                "no route takes what comes to {}: its connections are closed",
                Quoted(name.as_str())
            );
            let warning = Problem::new("no_routes", message).at(format!("listeners[{from}]"));
            findings.warning(warning.hint(format!(
                "add a route with protocol: {} and listeners: [{name}]",
                listener.protocol.as_str()
            )));
        }
    }
}
