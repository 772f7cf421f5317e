//! The compiled configuration: what a request meets.
//!
//! A [`Snapshot`] is made from a checked configuration by CPU work alone and never changes. Each
//! core looks at it through a [`View`] of its own, which holds what a core must not share: its
//! clones of the regular expressions, its lanes to the upstreams and its counters. A request
//! takes one view and keeps it to its last byte, so it sees one revision, whole.

mod compile;
mod life;
mod listener;
mod plan;
mod streams;
mod view;

use std::sync::Arc;

use portway_config::{Checked, Config};

use crate::{
    route::{Regexes, Router},
    tls,
    upstream::Upstream,
};

pub(crate) use compile::compile;
pub(crate) use life::Life;
pub(crate) use listener::{ListenerId, ListenerPlan, RedirectPlan};
pub(crate) use plan::{Action, Destination, Plan};
pub(crate) use streams::StreamRoutes;
pub(crate) use view::View;

/// One revision, compiled.
pub(crate) struct Snapshot {
    pub(crate) revision: u64,
    pub(crate) config: Checked<Config>,
    pub(crate) router: Router,
    /// The originals; each view clones them.
    regexes: Regexes,
    /// Routes that take no requests.
    pub(crate) streams: StreamRoutes,
    /// In the order of the configuration's routes.
    pub(crate) plans: Box<[Plan]>,
    pub(crate) upstreams: Box<[Arc<Upstream>]>,
    /// The certificates and keys, ready for use.
    pub(crate) tls: tls::Prepared,
    pub(crate) listeners: Box<[ListenerPlan]>,
    /// Listeners that were removed, while their connections may still be at work.
    leaving: Box<[ListenerPlan]>,
    /// How many counters the plans have together.
    cells: usize,
}

impl Snapshot {
    /// The listener of this number. `None` once it was removed and its time to drain is over.
    pub(crate) fn listener(&self, id: ListenerId) -> Option<&ListenerPlan> {
        self.listeners.iter().chain(&self.leaving).find(|listener| listener.id == id)
    }
}
