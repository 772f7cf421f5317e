//! What is remembered of one key: for each limit, just enough to say how it stands.

use smallvec::{SmallVec, smallvec};

use super::{
    Algorithm,
    limit::{Limit, Standing},
};

/// The counts of one key, one for each limit.
#[derive(Debug)]
pub(super) enum State {
    /// When each quota will be whole again (the "theoretical arrival time" of the algorithm).
    Gcra(SmallVec<[u64; 2]>),
    Sliding(Box<[Trail]>),
}

/// The requests of the last window, in the order they came. A request is put together with the one
/// before where that began less than a sixteenth of the window ago, so that there are never many.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail(Vec<Steps>);

#[derive(Clone, Copy, Debug)]
struct Steps {
    first: u64,
    last: u64,
    count: u64,
}

impl State {
    pub(super) fn new(algorithm: Algorithm, limits: usize) -> Self {
        match algorithm {
            Algorithm::Gcra => Self::Gcra(smallvec![0; limits]),
            Algorithm::SlidingWindow => Self::Sliding(vec![Trail::default(); limits].into()),
        }
    }

    /// Whether it counts so many limits: a consumer's own limits may change.
    pub(super) fn fits(&self, limits: usize) -> bool {
        match self {
            Self::Gcra(quotas) => quotas.len() == limits,
            Self::Sliding(trails) => trails.len() == limits,
        }
    }

    /// How the limit `at` stands.
    pub(super) fn look(&mut self, at: usize, limit: &Limit, now: u64) -> Standing {
        match self {
            Self::Gcra(quotas) => {
                let capacity = limit.interval * limit.count;
                // Never more than the whole: the limit may have been another before.
                let used = quotas[at].saturating_sub(now).min(capacity);
                let free = capacity - used;
                Standing {
                    remaining: free / limit.interval,
                    wait: limit.interval.saturating_sub(free),
                    reset: used,
                }
            }
            Self::Sliding(trails) => trails[at].look(limit, now),
        }
    }

    /// Counts one more for the limit `at`, which lets it pass.
    pub(super) fn take(&mut self, at: usize, limit: &Limit, now: u64) {
        match self {
            Self::Gcra(quotas) => {
                let used = quotas[at].saturating_sub(now).min(limit.interval * (limit.count - 1));
                quotas[at] = now + used + limit.interval;
            }
            Self::Sliding(trails) => trails[at].take(limit, now),
        }
    }
}

impl Trail {
    /// The most parts a window is cut into.
    const PARTS: u64 = 16;

    fn look(&mut self, limit: &Limit, now: u64) -> Standing {
        let gone = self.0.iter().take_while(|steps| steps.last + limit.window <= now).count();
        self.0.drain(..gone);
        let used: u64 = self.0.iter().map(|steps| steps.count).sum();
        let until = |steps: &Steps| (steps.last + limit.window).saturating_sub(now);
        let mut left = used;
        let opening = self.0.iter().find(|steps| {
            left -= steps.count;
            left < limit.count
        });
        Standing {
            remaining: limit.count.saturating_sub(used),
            wait: if used < limit.count { 0 } else { opening.map_or(0, until) },
            reset: self.0.last().map_or(0, until),
        }
    }

    fn take(&mut self, limit: &Limit, now: u64) {
        match self.0.last_mut() {
            Some(steps) if now.saturating_sub(steps.first) < limit.window / Self::PARTS => {
                // Another core may have read its clock a moment later and been here before.
                steps.last = steps.last.max(now);
                steps.count += 1;
            }
            _ => self.0.push(Steps { first: now, last: now, count: 1 }),
        }
    }
}
