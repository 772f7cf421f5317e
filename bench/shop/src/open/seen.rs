//! What the load has seen.

use std::{io, time::Duration};

use serde::Serialize;

/// A ramp ends with a second whose p99 is as long as this,
const TOO_LATE: Duration = Duration::from_secs(1);
/// or in which one of so many requests came to nothing.
const TOO_MANY: u64 = 20;

/// What the load has seen in one run.
#[derive(Debug, Serialize)]
pub struct Seen {
    /// Requests whose time came.
    pub offered: u64,
    /// Answers as they should be.
    pub answered: u64,
    /// Other answers, connections that broke, and requests that nobody had answered in the end.
    pub failed: u64,
    /// Requests that were not sent, because too many were under way.
    pub dropped: u64,
    /// Good answers a second, while requests were sent.
    pub rate: f64,
    /// Good answers in the best second.
    pub best_second: u64,
    /// Half of the good answers came within this time, counted from when the request was sent.
    pub p50_us: f64,
    /// 99 % of them.
    pub p99_us: f64,
    /// All of them.
    pub max_us: f64,
    /// How late 99 % of the requests were sent at most: the load's own lateness.
    pub late_p99_us: f64,
    /// Requests that were under way at the same time at most.
    pub connections: usize,
    /// Whether a ramp ended before its end.
    pub given_up: bool,
    /// Why the last failure was one.
    pub last: Option<String>,
}

#[derive(Default)]
pub(super) struct Tally {
    offered: u64,
    failed: u64,
    dropped: u64,
    under_way: usize,
    connections: usize,
    /// Microseconds of each good answer.
    times: Vec<f64>,
    late: Vec<f64>,
    /// Where the present second began.
    mark: Mark,
    best_second: u64,
    /// Good answers while requests were sent, and for how long.
    closed: Option<(usize, Duration)>,
    given_up: bool,
    last: Option<String>,
}

#[derive(Clone, Copy, Default)]
struct Mark {
    offered: u64,
    lost: u64,
    times: usize,
}

impl Tally {
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    pub(super) fn begun(&mut self, late: Duration) {
        self.offered += 1;
        self.under_way += 1;
        self.connections = self.connections.max(self.under_way);
        self.late.push(microseconds(late));
    }

    pub(super) fn dropped(&mut self) {
        self.offered += 1;
        self.dropped += 1;
    }

    pub(super) fn answered(&mut self, took: Duration, good: bool, why: impl FnOnce() -> String) {
        self.under_way -= 1;
        if good {
            self.times.push(microseconds(took));
        } else {
            self.failed += 1;
            self.last = Some(why());
        }
    }

    /// A second is over; whether it was so bad that a ramp ends.
    pub(super) fn second(&mut self) -> bool {
        let now = Mark {
            offered: self.offered,
            lost: self.failed + self.dropped,
            times: self.times.len(),
        };
        let before = std::mem::replace(&mut self.mark, now);
        let (offered, lost) = (now.offered - before.offered, now.lost - before.lost);
        let mut times = self.times[before.times..].to_vec();
        self.best_second = self.best_second.max(times.len() as u64);
        times.sort_by(f64::total_cmp);
        let late = match times.is_empty() {
            true => offered > 0,
            false => percentile(&times, 99) >= microseconds(TOO_LATE),
        };
        late || lost * TOO_MANY >= offered.max(1)
    }

    pub(super) fn given_up(&mut self) {
        self.given_up = true;
    }

    /// No more requests are sent.
    pub(super) fn close(&mut self, spent: Duration) {
        self.closed = Some((self.times.len(), spent));
    }

    pub(super) fn report(&mut self) -> io::Result<Seen> {
        self.failed += std::mem::take(&mut self.under_way) as u64;
        if self.times.is_empty() {
            let why = self.last.take().unwrap_or_else(|| "nothing was answered".to_owned());
            return Err(io::Error::other(why));
        }
        let (while_sent, spent) = self.closed.unwrap_or((self.times.len(), Duration::MAX));
        let answered = self.times.len() as u64;
        self.times.sort_by(f64::total_cmp);
        self.late.sort_by(f64::total_cmp);
        Ok(Seen {
            offered: self.offered,
            answered,
            failed: self.failed,
            dropped: self.dropped,
            rate: while_sent as f64 / spent.as_secs_f64(),
            best_second: self.best_second,
            p50_us: percentile(&self.times, 50),
            p99_us: percentile(&self.times, 99),
            max_us: percentile(&self.times, 100),
            late_p99_us: percentile(&self.late, 99),
            connections: self.connections,
            given_up: self.given_up,
            last: self.last.take(),
        })
    }
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(tally: &mut Tally, count: usize, took: Duration, good: bool) {
        for _ in 0..count {
            tally.begun(Duration::ZERO);
            tally.answered(took, good, || "refused".to_owned());
        }
    }

    #[test]
    fn a_second_is_bad_when_answers_are_late_or_lost() {
        let (quick, slow) = (Duration::from_millis(1), Duration::from_secs(2));
        let mut tally = Tally::default();
        answered(&mut tally, 1000, quick, true);
        assert!(!tally.second());
        answered(&mut tally, 985, quick, true);
        answered(&mut tally, 15, slow, true);
        assert!(tally.second());
        answered(&mut tally, 94, quick, true);
        answered(&mut tally, 6, quick, false);
        assert!(tally.second());
        tally.begun(Duration::ZERO);
        assert!(tally.second());
        tally.answered(quick, true, String::new);
        assert!(!tally.second());
    }

    #[test]
    fn what_was_never_answered_has_failed() {
        let mut tally = Tally::default();
        tally.begun(Duration::ZERO);
        assert!(tally.report().is_err());
        answered(&mut tally, 9, Duration::from_millis(2), true);
        tally.begun(Duration::ZERO);
        tally.dropped();
        tally.close(Duration::from_secs(3));
        let seen = tally.report().unwrap();
        assert_eq!((seen.offered, seen.answered), (12, 9));
        assert_eq!((seen.failed, seen.dropped, seen.rate), (2, 1, 3.0));
        assert_eq!((seen.p50_us, seen.p99_us), (2000.0, 2000.0));
    }
}
