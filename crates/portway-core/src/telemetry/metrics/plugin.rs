//! What one core counted about one plugin on one route.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::reasons::{Counts, PluginOutcome};

/// One plugin's numbers on one route and one core.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct PluginCells {
    pub(super) outcomes: Counts<{ PluginOutcome::ALL.len() }>,
    /// The time it took itself, in nanoseconds: without what it sent the request on to.
    pub(super) nanos: AtomicU64,
}

impl PluginCells {
    /// Counts a call that is over, and the nanoseconds it took.
    pub fn called(&self, outcome: PluginOutcome, nanos: u64) {
        self.outcomes.count(outcome as usize);
        self.nanos.fetch_add(nanos, Relaxed);
    }
}
