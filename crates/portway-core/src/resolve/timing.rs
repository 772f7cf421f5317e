//! When a name is looked up again.

use std::time::Duration;

/// The wait after a first failure. It doubles with every further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait after a failure.
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The bounds on the time between two look-ups of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) min_ttl: Duration,
    pub(super) max_ttl: Duration,
}

impl Timing {
    /// The wait after an answer that is good for `ttl`. `chance` lies in 0..1: names that were
    /// first looked up together should not be looked up together for ever.
    pub(super) fn after_answer(&self, ttl: Duration, chance: f64) -> Duration {
        // Bounds the wrong way round are refused by the check; here the lower one wins.
        let max = self.max_ttl.max(self.min_ttl);
        let ttl = ttl.clamp(self.min_ttl, max);
        let spread = ttl / 10;
        // Later rather than sooner, because a caching name server gives its old answer until
        // then; but not later than the longest time.
        let soonest = ttl.min(max - spread.min(max)).max(self.min_ttl);
        (soonest + spread.mul_f64(chance)).min(max)
    }
}

/// The waits after failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure. `chance` lies in 0..1.
    pub(super) fn next(&mut self, chance: f64) -> Duration {
        let shortest = FIRST_RETRY * 2_u32.pow(self.failures.min(4));
        let longest = (shortest * 2).min(LAST_RETRY);
        self.failures = self.failures.saturating_add(1);
        shortest + (longest - shortest).mul_f64(chance)
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, Timing};

    #[test]
    fn an_answer_is_used_for_its_time_to_live_within_bounds() {
        let timing = Timing { min_ttl: Duration::from_secs(1), max_ttl: Duration::from_secs(300) };
        // ttl, the wait at the least chance, the wait just under the greatest
        for (ttl, least, most) in [
            (0, 1.0, 1.1),
            (1, 1.0, 1.1),
            (60, 60.0, 66.0),
            (280, 272.0, 300.0),
            (300, 270.0, 300.0),
            (86_400, 270.0, 300.0),
        ] {
            let ttl = Duration::from_secs(ttl);
            let seconds = |chance| timing.after_answer(ttl, chance).as_secs_f64();
            assert!((seconds(0.0) - least).abs() < 0.001, "{ttl:?}: {} s", seconds(0.0));
            assert!((seconds(0.999_999) - most).abs() < 0.001, "{ttl:?}: {} s", seconds(0.999_999));
        }
    }

    #[test]
    fn bounds_that_leave_no_room_are_kept() {
        let second = Duration::from_secs(1);
        let timing = Timing { min_ttl: second, max_ttl: second };
        assert_eq!(timing.after_answer(Duration::from_secs(9), 0.9), second);
        let crossed = Timing { min_ttl: 2 * second, max_ttl: second };
        assert_eq!(crossed.after_answer(Duration::ZERO, 0.5), 2 * second);
    }

    #[test]
    fn retries_come_slower_and_slower_up_to_half_a_minute() {
        let waits = |chance| {
            let mut backoff = Backoff::default();
            std::array::from_fn::<f64, 7, _>(|_| backoff.next(chance).as_secs_f64())
        };
        assert_eq!(waits(0.0), [1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0]);
        assert_eq!(waits(1.0), [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);

        let mut backoff = Backoff::default();
        backoff.next(0.0);
        backoff.next(0.0);
        backoff.reset();
        assert_eq!(backoff.next(0.0), Duration::from_secs(1));
    }
}
