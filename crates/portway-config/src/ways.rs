//! The ways through a gateway, which differ by the plugins that may stand on them.

use std::collections::HashMap;

use crate::{
    plugged::Way,
    resource::{Config, Listener, ListenerProtocol, Route, Service, Target},
};

impl Config {
    /// Every way from a listener to a service: by each route, then past all routes. Endpoints are
    /// left out, and so are listeners where none has plugins of its own.
    #[must_use]
    pub fn ways(&self) -> Vec<Way<'_>> {
        let plugged = self.listeners.iter().any(|listener| !listener.plugins.is_empty());
        let listeners: Vec<_> = if plugged {
            self.listeners.iter().filter(|one| is_http(one.protocol)).map(Some).collect()
        } else {
            vec![None]
        };
        let services: HashMap<_, _> = self.services.iter().map(|one| (key(one), one)).collect();
        let mut ways = Vec::new();
        for route in self.routes.iter().filter(|route| is_http(route.protocol)) {
            let by = |listener: &&Option<&Listener>| {
                let named = |one: &Listener| route.listeners.contains(&one.meta.name);
                route.listeners.is_empty() || listener.is_none_or(named)
            };
            let targets = targets(route);
            let targets = targets
                .iter()
                .filter_map(|name| services.get(&(route.meta.namespace.as_str(), *name)).copied());
            let targets: Vec<_> = targets.collect();
            for listener in listeners.iter().filter(by) {
                let way = Way { listener: *listener, route: Some(route), ..Way::default() };
                if targets.is_empty() {
                    ways.push(way);
                }
                ways.extend(targets.iter().map(|one| Way { service: Some(one), ..way }));
            }
        }
        ways.extend(listeners.iter().map(|one| Way { listener: *one, ..Way::default() }));
        ways
    }
}

fn is_http(protocol: ListenerProtocol) -> bool {
    protocol == ListenerProtocol::Http
}

fn key(service: &Service) -> (&str, &str) {
    (service.meta.namespace.as_str(), service.meta.name.as_str())
}

fn targets(route: &Route) -> Vec<&str> {
    match &route.target {
        Some(Target::Service(name)) => vec![name.as_str()],
        Some(Target::Services(all)) => all.iter().map(|one| one.service.as_str()).collect(),
        _ => Vec::new(),
    }
}
