//! The plugins around each route.

use portway_config::{
    Checked, Config, Listener, ListenerProtocol, Route, Service, Step, Target, Way,
};

/// The plugins of one way through the gateway, the outermost first.
#[derive(Clone, Debug)]
pub struct ChainRow<'a> {
    /// The listener, where it matters: where some listener has plugins of its own.
    pub listener: Option<&'a Listener>,
    /// The route; `None` for requests that no route takes.
    pub route: Option<&'a Route>,
    /// The service.
    pub service: Option<&'a Service>,
    /// The plugins.
    pub steps: Vec<Step<'a>>,
}

/// The chain of every way through the gateway.
#[must_use]
pub fn chains(config: &Checked<Config>) -> Vec<ChainRow<'_>> {
    let plugged = config.listeners.iter().any(|listener| !listener.plugins.is_empty());
    let requests = |protocol| protocol == ListenerProtocol::Http;
    let listeners: Vec<_> = if plugged {
        config.listeners.iter().filter(|one| requests(one.protocol)).map(Some).collect()
    } else {
        vec![None]
    };
    let mut rows = Vec::new();
    let config: &Config = config;
    let row = |listener, route, service| {
        let way = Way { listener, service, route, endpoint: None };
        ChainRow { listener, route, service, steps: config.chain(way) }
    };
    for route in config.routes.iter().filter(|route| requests(route.protocol)) {
        let by = |listener: &&Option<&Listener>| {
            let named = |one: &Listener| route.listeners.contains(&one.meta.name);
            route.listeners.is_empty() || listener.is_none_or(named)
        };
        for listener in listeners.iter().filter(by) {
            let services = services(config, route);
            if services.is_empty() {
                rows.push(row(*listener, Some(route), None));
            }
            rows.extend(services.into_iter().map(|one| row(*listener, Some(route), Some(one))));
        }
    }
    rows.extend(listeners.iter().map(|listener| row(*listener, None, None)));
    rows
}

fn services<'a>(config: &'a Config, route: &Route) -> Vec<&'a Service> {
    let names: Vec<_> = match &route.target {
        Some(Target::Service(name)) => vec![name],
        Some(Target::Services(shares)) => shares.iter().map(|share| &share.service).collect(),
        _ => Vec::new(),
    };
    let is = |service: &&Service| {
        service.meta.namespace == route.meta.namespace && names.contains(&&service.meta.name)
    };
    config.services.iter().filter(is).collect()
}
