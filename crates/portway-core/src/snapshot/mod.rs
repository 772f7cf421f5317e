//! The compiled configuration: what a request meets.
//!
//! A [`Snapshot`] is made from a checked configuration by CPU work alone and never changes. Each
//! core looks at it through a [`View`] of its own, which holds what a core must not share: its
//! clones of the regular expressions, its lanes to the upstreams and its counters. A request
//! takes one view and keeps it to its last byte, so it sees one revision, whole.

mod carry;
mod compile;
mod consumers;
mod life;
mod listener;
mod namespaces;
mod plan;
mod streams;
mod view;

use std::sync::Arc;

use portway_config::{Checked, Config, List};
use portway_plugin::Consumers;

use crate::{
    chain::{Chain, Instances},
    route::Router,
    tls,
    upstream::Upstream,
};

pub(crate) use compile::{Means, compile};
pub(crate) use life::Life;
pub(crate) use listener::{ListenerId, ListenerPlan, RedirectPlan};
pub(crate) use namespaces::Namespaces;
use plan::Seat;
pub(crate) use plan::{Action, Destination, FixedReply, Plan};
pub(crate) use streams::StreamRoutes;
pub(crate) use view::View;

/// One revision, compiled.
pub(crate) struct Snapshot {
    pub(crate) revision: u64,
    pub(crate) config: Checked<Config>,
    pub(crate) router: Router,
    /// `None` where all routes take requests of all hosts.
    pub(crate) namespaces: Option<Namespaces>,
    /// Routes that take no requests.
    pub(crate) streams: StreamRoutes,
    /// In the order of the configuration's routes.
    pub(crate) plans: List<Plan>,
    seats: Box<[Seat]>,
    /// The instances of plugins.
    pub(crate) instances: Instances,
    /// The chains for requests that no route takes, by class of listener. Empty without any.
    pub(crate) unmatched: Box<[Option<Arc<Chain>>]>,
    /// Whether plugins may tell upstreams about consumers: what clients say is taken off then,
    /// on every route.
    pub(crate) tells_of_consumers: bool,
    /// Who may ask.
    pub(crate) consumers: Consumers,
    pub(crate) upstreams: Box<[Arc<Upstream>]>,
    /// The certificates and keys, ready for use.
    pub(crate) tls: tls::Prepared,
    pub(crate) listeners: Box<[ListenerPlan]>,
    /// Listeners that were removed, while their connections may still be at work.
    leaving: Box<[ListenerPlan]>,
    /// How many counters the plans have together.
    counters: Seat,
}

impl Snapshot {
    /// The chain of a way that a route has found, by its plan and destination.
    pub(crate) fn chain(&self, plan: usize, destination: usize, class: usize) -> Option<&Chain> {
        let plan = &self.plans[plan];
        plan.chains.get(plan.chain(destination, class))?.as_deref()
    }

    /// The listener of this number. `None` once it was removed and its time to drain is over.
    pub(crate) fn listener(&self, id: ListenerId) -> Option<&ListenerPlan> {
        if id == ListenerId::FIRST {
            return self.listeners.first();
        }
        self.listeners.iter().chain(&self.leaving).find(|listener| listener.id == id)
    }
}
