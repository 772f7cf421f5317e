//! The gateway's numbers.
//!
//! Each core counts in cells of its own, with relaxed atomic operations on lines no other core
//! writes to; a scrape sums them. A route's cells are made at its first request on a core, so that
//! ten thousand quiet routes cost nothing. Labels are bounded: names from the configuration,
//! methods from a fixed list, statuses up to a cap; never a path, never a client.
//!
//! It never pushes anywhere and never resets what it counted: the cells of a route that left the
//! configuration are dropped ten minutes later, when every scraper has read their last value.

mod catalog;
mod core;
mod errors;
mod exposition;
mod form;
mod gateway;
mod histogram;
mod method;
mod outcomes;
mod plugin;
mod process;
mod reasons;
mod route;
mod scrape;
mod shelf;
mod stream;
mod traffic;

#[cfg(test)]
mod tests;

pub use self::{
    catalog::reference,
    core::{CoreCells, ListenerCells, ServiceCells},
    form::Form,
    gateway::{Metrics, Named},
    plugin::PluginCells,
    reasons::{DatagramLoss, PluginOutcome, Refusal, StreamEnd},
    route::{ADMIN, NO_ROUTE, RouteCells},
    stream::StreamCells,
    traffic::{RouteTraffic, Traffic},
};
