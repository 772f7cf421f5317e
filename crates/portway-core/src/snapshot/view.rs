//! One core's look at a snapshot.

use std::sync::{Arc, OnceLock};

use super::Snapshot;
use crate::{
    route::Regexes,
    telemetry::metrics::{CoreCells, NO_ROUTE, RouteCells},
    upstream::Lane,
};

/// A snapshot with what a core must not share with its neighbours.
pub(crate) struct View {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) regexes: Regexes,
    /// In the order of the snapshot's upstreams.
    pub(crate) lanes: Box<[Arc<Lane>]>,
    /// Filled in at a route's first request on this core.
    cells: Box<[OnceLock<Arc<RouteCells>>]>,
    unmatched: Arc<RouteCells>,
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
            regexes: snapshot.regexes.clone(),
            lanes,
            cells: (0..snapshot.cells).map(|_| OnceLock::new()).collect(),
            unmatched: cells.unmatched(),
            snapshot,
        })
    }

    /// The counters of a plan towards one of its destinations, or of no plan.
    pub(crate) fn cells(
        &self,
        matched: Option<(usize, usize)>,
        core: &CoreCells,
    ) -> &Arc<RouteCells> {
        let Some((plan, destination)) = matched else { return &self.unmatched };
        let plan = &self.snapshot.plans[plan];
        self.cells[plan.cells + destination].get_or_init(|| {
            let service = self.service(plan.destinations().get(destination).map(|d| d.upstream));
            core.route(&plan.route, service)
        })
    }

    /// What an upstream's service is called.
    pub(crate) fn service(&self, upstream: Option<usize>) -> &str {
        upstream.map_or(NO_ROUTE, |upstream| self.lanes[upstream].upstream.label())
    }
}
