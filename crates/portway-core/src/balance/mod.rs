//! Which of several endpoints takes a request.
//!
//! A service with one endpoint never gets here. What is exact over all cores costs one padded
//! atomic per service (in turn) or per endpoint (fewest requests), paid by the services that use
//! it alone. This room knows weights and counts; it knows neither addresses nor health.

mod least_request;
mod round_robin;

use std::sync::atomic::AtomicU32;

use portway_config::Balance;

use least_request::LeastRequest;
pub(crate) use least_request::Permit;
use round_robin::RoundRobin;

/// A number on a cache line of its own, so that cores which count do not slow their neighbours.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded(AtomicU32);

/// The balancing of one service.
#[derive(Debug)]
pub(crate) enum Picker {
    /// There is nothing to choose.
    Only,
    /// Nobody takes requests: every weight is zero.
    Nobody,
    RoundRobin(Box<RoundRobin>),
    LeastRequest(Box<LeastRequest>),
}

/// The endpoint that was chosen.
#[derive(Debug)]
pub(crate) struct Pick {
    pub(crate) index: usize,
    /// To be kept until the answer's last byte.
    pub(crate) permit: Option<Permit>,
}

impl Picker {
    /// A picker for endpoints of these weights.
    pub(crate) fn new(balance: Balance, weights: &[u16]) -> Self {
        if weights.iter().all(|&weight| weight == 0) {
            return Self::Nobody;
        }
        match balance {
            _ if weights.len() == 1 => Self::Only,
            Balance::RoundRobin => Self::RoundRobin(Box::new(RoundRobin::new(weights))),
            Balance::LeastRequest => Self::LeastRequest(Box::new(LeastRequest::new(weights))),
        }
    }

    /// Chooses an endpoint that is not among those tried already.
    pub(crate) fn pick(&self, tried: &[usize]) -> Option<Pick> {
        match self {
            Self::Nobody => None,
            Self::Only => tried.is_empty().then_some(Pick { index: 0, permit: None }),
            Self::RoundRobin(turns) => turns.pick(tried).map(|index| Pick { index, permit: None }),
            Self::LeastRequest(loads) => loads.pick(tried),
        }
    }
}
