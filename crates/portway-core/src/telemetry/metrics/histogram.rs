//! Durations, counted in fixed buckets.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The finite upper bounds: in nanoseconds, and as the label `le` says them in seconds. From half
/// a millisecond, which a proxy on one machine takes, to thirty seconds, where default timeouts
/// end. Written as floats in both formats, so that a change of format starts no new series.
pub(super) const BOUNDS: [(u64, &str); 15] = [
    (500_000, "0.0005"),
    (1_000_000, "0.001"),
    (2_500_000, "0.0025"),
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (25_000_000, "0.025"),
    (50_000_000, "0.05"),
    (100_000_000, "0.1"),
    (250_000_000, "0.25"),
    (500_000_000, "0.5"),
    (1_000_000_000, "1.0"),
    (2_500_000_000, "2.5"),
    (5_000_000_000, "5.0"),
    (10_000_000_000, "10.0"),
    (30_000_000_000, "30.0"),
];

/// The buckets, with the one that has no bound.
pub(super) const BUCKETS: usize = BOUNDS.len() + 1;

/// A histogram that is written to. Sixteen buckets are two cache lines.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    /// In microseconds: a hundred thousand open streams would overflow 64 bits of nanoseconds in
    /// two days.
    sum: AtomicU64,
}

/// Histograms added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HistogramSum {
    pub(super) buckets: [u64; BUCKETS],
    pub(super) micros: u64,
}

impl Histogram {
    /// Counts one duration.
    #[inline]
    pub(super) fn observe(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)].fetch_add(1, Relaxed);
        self.sum.fetch_add(nanos.saturating_add(500) / 1000, Relaxed);
    }
}

impl HistogramSum {
    /// Adds what a core counted.
    pub(super) fn add(&mut self, cells: &Histogram) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&cells.buckets) {
            *sum += bucket.load(Relaxed);
        }
        self.micros = self.micros.wrapping_add(cells.sum.load(Relaxed));
    }

    /// How many durations there are.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The bound, in seconds, below which so large a part of the durations lies. `None` without
    /// any, and where it lies above every bound.
    pub(super) fn quantile(&self, part: f64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "buckets are no exact thing either")]
        let wanted = self.count() as f64 * part;
        let mut seen = 0_u64;
        let at = self.buckets.iter().position(|count| {
            seen += count;
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            let seen = seen as f64;
            seen > 0.0 && seen >= wanted
        });
        BOUNDS.get(at?).and_then(|(_, text)| text.parse().ok())
    }

    /// Adds another sum.
    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += bucket;
        }
        self.micros = self.micros.wrapping_add(other.micros);
    }
}

/// The first bucket whose bound is not below the duration.
#[inline]
fn bucket(nanos: u64) -> usize {
    BOUNDS.partition_point(|(bound, _)| *bound < nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        for (at, (bound, text)) in BOUNDS.iter().enumerate() {
            assert_eq!(bucket(*bound), at);
            assert_eq!(bucket(bound + 1), at + 1);
            let seconds: f64 = text.parse().unwrap();
            assert_eq!(Duration::from_secs_f64(seconds), Duration::from_nanos(*bound), "{text}");
        }
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn the_sum_is_rounded_and_no_duration_is_too_long() {
        let cells = Histogram::default();
        for nanos in [1_499, 1_500, 700] {
            cells.observe(Duration::from_nanos(nanos));
        }
        let mut sum = HistogramSum::default();
        sum.add(&cells);
        assert_eq!((sum.count(), sum.micros), (3, 1 + 2 + 1));
        cells.observe(Duration::MAX);
        let mut sum = HistogramSum::default();
        sum.add(&cells);
        assert_eq!((sum.count(), sum.buckets[BUCKETS - 1]), (4, 1));
    }
}
