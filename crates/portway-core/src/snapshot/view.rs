//! One core's look at a snapshot.

use std::sync::{Arc, OnceLock};

use portway_config::ListenerProtocol;

use super::{ListenerId, Namespaces, Snapshot};
use crate::{
    chain::Chain,
    route::{Programs, Regexes, World},
    telemetry::metrics::{CoreCells, NO_ROUTE, PluginCells, RouteCells},
    upstream::Lane,
};

/// The counters of a chain's plugins, in the order of its links.
type ChainCells = Box<[Arc<PluginCells>]>;

/// A snapshot with what a core must not share with its neighbours.
pub(crate) struct View {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) regexes: Regexes,
    /// The expressions of domains.
    domains: Programs,
    /// In the order of the snapshot's upstreams.
    pub(crate) lanes: Box<[Arc<Lane>]>,
    /// Filled in at a route's first request on this core.
    cells: Box<[OnceLock<Arc<RouteCells>>]>,
    unmatched: Arc<RouteCells>,
    /// Filled in at the first request to the admin API.
    admin: OnceLock<Arc<RouteCells>>,
    /// The same for the plugins of a route's chains.
    plugins: Box<[OnceLock<ChainCells>]>,
}

impl View {
    /// Lanes to upstreams that stay come from the core's previous view, with their connections.
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        previous: Option<&Self>,
        cells: &CoreCells,
    ) -> Arc<Self> {
        let known = previous.map_or(&[][..], |view| &view.lanes);
        let known: std::collections::HashMap<*const _, &Arc<Lane>> =
            known.iter().map(|lane| (Arc::as_ptr(&lane.upstream), lane)).collect();
        let lanes = snapshot
            .upstreams
            .iter()
            .map(|upstream| match known.get(&Arc::as_ptr(upstream)) {
                Some(lane) => Arc::clone(lane),
                None => Lane::new(Arc::clone(upstream), cells.service(upstream.label())),
            })
            .collect();
        Arc::new(Self {
            regexes: Regexes::of_core(
                &snapshot.router,
                previous.map(|view| (&view.snapshot.router, &view.regexes)),
            ),
            domains: snapshot.namespaces.as_ref().map(Namespaces::programs).unwrap_or_default(),
            lanes,
            cells: (0..snapshot.counters.cells).map(|_| OnceLock::new()).collect(),
            unmatched: cells.unmatched(),
            admin: OnceLock::new(),
            plugins: (0..snapshot.counters.plugins).map(|_| OnceLock::new()).collect(),
            snapshot,
        })
    }

    /// Whose routes are candidates for requests for a host; `None` where nobody serves it.
    pub(crate) fn world(&self, host: &str) -> Option<World> {
        match &self.snapshot.namespaces {
            None => Some(World::WHOLE),
            Some(namespaces) => Some(namespaces.of(Some(host), &self.domains)?.world),
        }
    }

    /// The plan for a TLS client that asks for `name`, among the routes of the namespace that has
    /// the name.
    pub(crate) fn passthrough(&self, listener: ListenerId, name: Option<&str>) -> Option<usize> {
        let namespace = match &self.snapshot.namespaces {
            None => None,
            Some(namespaces) => Some(&namespaces.of(name, &self.domains)?.name),
        };
        self.snapshot.streams.passthrough(listener, namespace, name)
    }

    /// The counters of a plan towards one of its destinations, or of no plan at a listener.
    pub(crate) fn cells(
        &self,
        matched: Option<(usize, usize)>,
        listener: ListenerId,
        core: &CoreCells,
    ) -> &Arc<RouteCells> {
        let Some((number, destination)) = matched else {
            let listener = self.snapshot.listener(listener).map(|listener| listener.protocol);
            return match listener == Some(ListenerProtocol::Admin) {
                true => self.admin.get_or_init(|| core.admin()),
                false => &self.unmatched,
            };
        };
        let plan = &self.snapshot.plans[number];
        self.cells[self.snapshot.seats[number].cells + destination].get_or_init(|| {
            let service = self.service(plan.destinations().get(destination).map(|d| d.upstream));
            core.route(&plan.route, service)
        })
    }

    /// The counters of a chain's plugins, in the order of its links.
    pub(crate) fn plugin_cells(
        &self,
        way: Option<(usize, usize)>,
        class: usize,
        chain: &Chain,
        core: &CoreCells,
    ) -> &[Arc<PluginCells>] {
        let plan = way.map(|(plan, _)| &self.snapshot.plans[plan]);
        let at = match (plan, way) {
            (Some(plan), Some((number, destination))) => {
                let begin = self.snapshot.seats[number].plugins + plan.chain_cells;
                begin + plan.chain(destination, class)
            }
            // Those of no plan come first.
            _ => class,
        };
        let route = plan.map_or(NO_ROUTE, |plan| &plan.route);
        self.chain_cells(at, route, chain, core)
    }

    /// The same for the plugins of an endpoint.
    pub(crate) fn endpoint_cells(
        &self,
        (number, destination): (usize, usize),
        endpoint: usize,
        chain: &Chain,
        core: &CoreCells,
    ) -> &[Arc<PluginCells>] {
        let plan = &self.snapshot.plans[number];
        let begin = self.snapshot.seats[number].plugins;
        let at = begin + plan.destinations()[destination].endpoint_cells + endpoint;
        self.chain_cells(at, &plan.route, chain, core)
    }

    fn chain_cells(
        &self,
        at: usize,
        route: &str,
        chain: &Chain,
        core: &CoreCells,
    ) -> &[Arc<PluginCells>] {
        let links = chain.links.iter();
        self.plugins[at]
            .get_or_init(|| links.map(|link| core.plugin(&link.called, route)).collect())
    }

    /// What an upstream's service is called.
    pub(crate) fn service(&self, upstream: Option<usize>) -> &str {
        upstream.map_or(NO_ROUTE, |upstream| self.lanes[upstream].upstream.label())
    }
}
