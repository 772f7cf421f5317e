//! One limit, and how a count stands to it.

use std::time::Duration;

use portway_plugin::value::Rate;

/// A rate, prepared. Times are in nanoseconds: those of ten years fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) rate: Rate,
    /// How many pass in a window.
    pub(super) count: u64,
    pub(super) window: u64,
    /// From one request to the next, when they come evenly.
    pub(super) interval: u64,
}

/// How a count stands to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// How many more pass now.
    pub(super) remaining: u64,
    /// Until one more passes. Zero when one does now.
    pub(super) wait: u64,
    /// Until the whole quota is there.
    pub(super) reset: u64,
}

impl Limit {
    pub(super) fn new(rate: Rate) -> Self {
        let (count, window) = (u64::from(rate.count.get()), nanos(rate.window.get()));
        // Rounded up: a fraction of a nanosecond makes the limit stricter, never looser.
        Self { rate, count, window, interval: window.div_ceil(count) }
    }
}

impl Standing {
    /// The nearer to refusing, the smaller.
    pub(super) fn slack(&self) -> (u64, std::cmp::Reverse<u64>) {
        (self.remaining, std::cmp::Reverse(self.reset))
    }
}

/// The time in nanoseconds. The gateway does not live for the five hundred years that would
/// overflow it.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
