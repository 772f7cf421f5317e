//! The plugins around each route.

use portway_config::{Checked, Config, Listener, Route, Service, Step, Way};

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
    let config: &Config = config;
    config.ways().into_iter().map(|way| row(config, way)).collect()
}

fn row<'a>(config: &'a Config, way: Way<'a>) -> ChainRow<'a> {
    let Way { listener, route, service, .. } = way;
    ChainRow { listener, route, service, steps: config.chain(way) }
}
