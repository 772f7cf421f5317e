//! A compiled route: nothing optional left to decide but what the request decides.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use portway_config::{HostPolicy, Redirect, Rewrite, StageTimeouts};

use super::Life;
use crate::{balance::Turns, chain::Chain, files::Files, reply::ReplyTemplate};

/// What is done with the requests of one route.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What metrics and logs call the route.
    pub(crate) route: Box<str>,
    pub(crate) life: Arc<Life>,
    pub(crate) action: Action,
    pub(crate) rewrite: Option<Rewrite>,
    /// The route's own policy; without one, the service's.
    pub(crate) host: Option<HostPolicy>,
    /// The route's own limit; without one, the listener's. `Some(None)` is no limit.
    pub(crate) body_limit: Option<Option<u64>>,
    /// By class of listener, then by destination. Empty without plugins.
    pub(crate) chains: Box<[Option<Arc<Chain>>]>,
    /// Where the counters of its chains begin among those of its plugins: behind those of endpoints.
    pub(super) chain_cells: usize,
}

/// Where the counters of a plan begin among those of a view.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seat {
    /// One for each destination.
    pub(super) cells: usize,
    /// One set for each chain.
    pub(super) plugins: usize,
}

/// Where the requests of a route go. Most are forwarded: what others need is boxed.
#[derive(Debug)]
pub(crate) enum Action {
    /// To an upstream, one of several when there is a choice.
    Forward { picker: Turns, destinations: Box<[Destination]> },
    /// Nowhere: this is the answer.
    Reply(Box<FixedReply>),
    /// Nowhere: the answer is made from this.
    Template(Box<ReplyTemplate>),
    /// Nowhere: a file is sent.
    Files { files: Files, stages: Box<StageTimeouts> },
    /// Nowhere: the client is sent elsewhere.
    Redirect(Box<Redirect>),
}

/// An answer that is the same for every request.
#[derive(Debug)]
pub(crate) struct FixedReply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One of the upstreams of a route.
#[derive(Debug)]
pub(crate) struct Destination {
    /// Its number among the snapshot's upstreams, and among the lanes of a view.
    pub(crate) upstream: usize,
    /// The limits of this route towards this upstream.
    pub(crate) stages: StageTimeouts,
    /// The plugins of its endpoints. Empty without any.
    pub(crate) endpoints: Box<[Option<Arc<Chain>>]>,
    /// Where the counters of those plugins begin among those of the plan's plugins.
    pub(super) endpoint_cells: usize,
}

impl Plan {
    /// Which of its chains is the one of a destination, for listeners of a class.
    pub(super) fn chain(&self, destination: usize, class: usize) -> usize {
        class * self.destinations().len().max(1) + destination
    }

    /// How many counters it has: its own, and sets of those of plugins.
    pub(super) fn counters(&self) -> Seat {
        Seat {
            cells: self.destinations().len().max(1),
            plugins: self.chain_cells + self.chains.len(),
        }
    }

    pub(super) fn destinations_mut(&mut self) -> &mut [Destination] {
        match &mut self.action {
            Action::Forward { destinations, .. } => destinations,
            Action::Reply(_) | Action::Template(_) | Action::Files { .. } | Action::Redirect(_) => {
                &mut []
            }
        }
    }

    /// The upstreams it forwards to; none for an answer of its own.
    pub(crate) fn destinations(&self) -> &[Destination] {
        match &self.action {
            Action::Forward { destinations, .. } => destinations,
            Action::Reply(_) | Action::Template(_) | Action::Files { .. } | Action::Redirect(_) => {
                &[]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be ten thousand, and what requests need of each is read again and again.
    #[test]
    fn a_plan_is_small() {
        let size = size_of::<Plan>();
        assert!(size <= 144, "{size} bytes");
    }
}
