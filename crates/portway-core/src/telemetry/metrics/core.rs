//! What one core counts.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use portway_plugin::Side;

use super::{
    errors::Errors,
    plugin::PluginCells,
    reasons::{Counts, DatagramLoss, Refusal},
    route::{ADMIN, NO_ROUTE, RouteCells},
    shelf::Shelf,
    stream::StreamCells,
};

/// The cells of one core. Whoever asks for a route's, a service's or a listener's cells keeps
/// them: asking takes this core's lock, counting takes none.
///
/// Cells may be used from several threads; they are only fastest on their own core. What was
/// opened on one core may be closed on another: the sum is right.
#[derive(Default)]
#[repr(align(128))]
pub struct CoreCells {
    pub(super) in_flight: AtomicI64,
    pub(super) errors: Errors,
    pub(super) routes: Shelf<2, RouteCells>,
    pub(super) streams: Shelf<2, StreamCells>,
    /// By what the plugin is called, and the route.
    pub(super) plugins: Shelf<2, PluginCells>,
    pub(super) services: Shelf<1, ServiceCells>,
    pub(super) listeners: Shelf<1, ListenerCells>,
}

/// One service's numbers on one core.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct ServiceCells {
    pub(super) open: AtomicI64,
    pub(super) opened: AtomicU64,
    pub(super) retries: AtomicU64,
}

/// One listener's numbers on one core.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct ListenerCells {
    pub(super) open: AtomicI64,
    pub(super) opened: AtomicU64,
    pub(super) refusals: Counts<{ Refusal::ALL.len() }>,
    pub(super) losses: Counts<{ DatagramLoss::ALL.len() }>,
}

impl CoreCells {
    /// The cells of a route and the service it forwards to; [`NO_ROUTE`] for a route without one.
    pub fn route(&self, route: &str, service: &str) -> Arc<RouteCells> {
        self.routes.get([route, service])
    }

    /// The cells for requests that match no route.
    pub fn unmatched(&self) -> Arc<RouteCells> {
        self.route(NO_ROUTE, NO_ROUTE)
    }

    /// The cells for requests to the admin API.
    pub fn admin(&self) -> Arc<RouteCells> {
        self.route(ADMIN, NO_ROUTE)
    }

    /// The cells of a route for connections or datagrams, and the service it forwards to;
    /// [`NO_ROUTE`] for one without.
    pub fn stream(&self, route: &str, service: &str) -> Arc<StreamCells> {
        self.streams.get([route, service])
    }

    /// The cells of a plugin, by what it is called where it is attached, on a route; [`NO_ROUTE`]
    /// for requests that match none.
    pub fn plugin(&self, plugin: &str, route: &str) -> Arc<PluginCells> {
        self.plugins.get([plugin, route])
    }

    /// The cells of a service.
    pub fn service(&self, service: &str) -> Arc<ServiceCells> {
        self.services.get([service])
    }

    /// The cells of a listener.
    pub fn listener(&self, listener: &str) -> Arc<ListenerCells> {
        self.listeners.get([listener])
    }

    /// Counts an error on the request path.
    pub fn error(&self, code: &'static str, side: Side) {
        self.errors.count(code, side);
    }

    /// A request began.
    #[inline]
    pub fn in_flight_add(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// A request is over.
    #[inline]
    pub fn in_flight_sub(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }
}

impl std::fmt::Debug for CoreCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CoreCells")
    }
}

impl ServiceCells {
    /// A connection to an endpoint of the service was opened.
    pub fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
    }

    /// A connection to an endpoint of the service was closed.
    pub fn closed(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    /// A request was sent to an endpoint of the service once more.
    pub fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }
}

impl ListenerCells {
    /// A connection from a client was accepted.
    pub fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
    }

    /// A connection from a client was closed.
    pub fn closed(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    /// A connection from a client was closed before anything was served on it.
    pub fn refused(&self, reason: Refusal) {
        self.refusals.count(reason as usize);
    }

    /// A datagram, from a client or to it, was dropped.
    pub fn lost(&self, reason: DatagramLoss) {
        self.losses.count(reason as usize);
    }
}
