//! The endpoint that would answer soonest.
//!
//! Peak EWMA, as in Twitter's Finagle (`PeakEwma`): how long the heads of answers took, averaged
//! over the last seconds but following a slow one at once, times the requests in flight, for the
//! weight. What goes wrong there is mended here: a failure, also a fast one, counts as slower than
//! the last answer and than the others, twice as slow each time, so that an endpoint that refuses
//! at once does not draw all requests; and an endpoint of which nothing is known, or nothing any
//! more, is asked once, and not again until it has answered.

use std::{
    cmp::Ordering,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use http::StatusCode;
use tokio::time::Instant;

use super::{Member, Padded, Pick};

/// How fast the past is forgotten: after this many seconds a third of it is left.
const MEMORY: f32 = 10.0;
/// In microseconds: no failure counts as faster, and none as slower.
const FAILURES: std::ops::RangeInclusive<f32> = 10_000.0..=60_000_000.0;

/// Times and requests in flight, over all cores.
#[derive(Debug)]
pub(crate) struct LeastTime {
    endpoints: Box<[Endpoint]>,
    /// When time begins. It is that of the first revision: counts are carried over.
    begin: Instant,
    /// Where the search begins, so that equals take turns.
    next: Padded,
}

#[derive(Debug)]
struct Endpoint {
    id: u64,
    weight: u16,
    cell: Arc<Cell>,
}

/// What is known of an endpoint, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cell {
    in_flight: AtomicU32,
    /// Those of them whose answer has no head yet.
    waiting: AtomicU32,
    /// See [`Seen`].
    seen: AtomicU64,
}

/// What was seen of an endpoint so far: packed, so that it changes as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seen {
    /// How long a head takes, in microseconds. 0: it is not known.
    time: f32,
    /// When that was, in milliseconds since the beginning, which come round after seven weeks.
    at: u32,
}

/// One request on its way; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Timing {
    times: Arc<LeastTime>,
    /// In microseconds since the beginning.
    started: u64,
    endpoint: u32,
    waits: bool,
}

impl LeastTime {
    /// Endpoints that were there before keep what is known of them.
    pub(super) fn new(members: &[Member], previous: Option<&Self>) -> Self {
        let known = |id| previous?.endpoints.iter().find(|one| one.id == id);
        let endpoint = |member: &Member| Endpoint {
            id: member.id,
            weight: member.endpoint.weight,
            cell: known(member.id).map(|one| Arc::clone(&one.cell)).unwrap_or_default(),
        };
        Self {
            endpoints: members.iter().map(endpoint).collect(),
            begin: previous.map_or_else(Instant::now, |previous| previous.begin),
            next: Padded::default(),
        }
    }

    pub(super) fn pick(self: &Arc<Self>, tried: &[usize]) -> Option<Pick> {
        let started = self.now();
        let first = self.next.0.fetch_add(1, Relaxed) as usize;
        let count = self.endpoints.len();
        let (index, _) = (0..count)
            .map(|step| first.wrapping_add(step) % count)
            .filter(|&index| self.endpoints[index].weight > 0 && !tried.contains(&index))
            .map(|index| (index, self.endpoints[index].cost(millis(started))))
            .min_by(|(_, a), (_, b)| a.compare(*b))?;
        let cell = &self.endpoints[index].cell;
        cell.in_flight.fetch_add(1, Relaxed);
        cell.waiting.fetch_add(1, Relaxed);
        let endpoint = u32::try_from(index).ok()?;
        let timing = Timing { times: Arc::clone(self), started, endpoint, waits: true };
        Some(Pick { index, permit: Some(timing.into()), key: None })
    }

    /// Microseconds since the beginning.
    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// How long the fastest endpoint takes, other than this one. 0 where that is not known.
    fn fastest_but(&self, endpoint: usize, now: u32) -> f32 {
        let others = self.endpoints.iter().enumerate().filter(|(index, _)| *index != endpoint);
        let times = others.map(|(_, one)| one.cell.seen().aged(now)).filter(|time| *time > 0.0);
        times.min_by(f32::total_cmp).unwrap_or(0.0)
    }
}

/// What a request would cost at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cost {
    /// Nothing is known, and nobody is finding out.
    Unknown,
    Known(f32),
    /// Somebody is finding out.
    Awaited(f32),
}

impl Cost {
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Known(a), Self::Known(b)) | (Self::Awaited(a), Self::Awaited(b)) => {
                a.total_cmp(&b)
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Known(_) => 1,
            Self::Awaited(_) => 2,
        }
    }
}

impl Endpoint {
    fn cost(&self, now: u32) -> Cost {
        let (cell, seen) = (&self.cell, self.cell.seen());
        #[expect(clippy::cast_precision_loss, reason = "near enough")]
        let load = (cell.in_flight.load(Relaxed) as f32 + 1.0) / f32::from(self.weight);
        match (seen.time > 0.0, cell.waiting.load(Relaxed) > 0) {
            (false, false) => Cost::Unknown,
            (false, true) => Cost::Awaited(load),
            // What is forgotten brings one request, and not more until that is answered.
            (true, false) => Cost::Known(seen.aged(now) * load),
            (true, true) => Cost::Known(seen.time * load),
        }
    }
}

impl Cell {
    fn seen(&self) -> Seen {
        Seen::unpack(self.seen.load(Relaxed))
    }

    /// A head took `time` microseconds.
    fn observe(&self, time: f32, now: u32) {
        let new = |seen| Some(Seen::unpack(seen).with(time, now)?.pack());
        // It fails where nothing is new.
        let _ = self.seen.fetch_update(Relaxed, Relaxed, new);
    }
}

impl Seen {
    fn pack(self) -> u64 {
        u64::from(self.time.to_bits()) << 32 | u64::from(self.at)
    }

    fn unpack(packed: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "two halves")]
        Self { time: f32::from_bits((packed >> 32) as u32), at: packed as u32 }
    }

    /// How much of it is left.
    fn left(self, now: u32) -> f32 {
        // Another core may have been there a moment later.
        let age = now.wrapping_sub(self.at).cast_signed().max(0);
        #[expect(clippy::cast_precision_loss, reason = "near enough")]
        (-(age as f32) / (1000.0 * MEMORY)).exp()
    }

    /// The time, forgotten by and by.
    fn aged(self, now: u32) -> f32 {
        if self.time > 0.0 { self.time * self.left(now) } else { 0.0 }
    }

    /// With one more time. A slower one is believed at once. `None` where too little time has
    /// passed for a faster one to count.
    fn with(self, time: f32, now: u32) -> Option<Self> {
        let time = time.max(1.0);
        if self.time == 0.0 || time >= self.time {
            return Some(Self { time, at: now });
        }
        let left = self.left(now);
        (left < 1.0).then_some(Self { time: self.time * left + time * (1.0 - left), at: now })
    }
}

impl Timing {
    pub(super) fn answered(&mut self, status: Option<StatusCode>) {
        if status.is_some_and(|status| status.is_server_error()) {
            return self.failed();
        }
        if let Some((took, now)) = self.waited() {
            self.cell().observe(took, now);
        }
    }

    pub(super) fn failed(&mut self) {
        let Some((took, now)) = self.waited() else { return };
        let others = self.times.fastest_but(self.endpoint as usize, now);
        let worse = 2.0 * self.cell().seen().time.max(others);
        self.cell().observe(took.max(worse).clamp(*FAILURES.start(), *FAILURES.end()), now);
    }

    /// How long it waited, the first time that is asked for, and what time it is.
    fn waited(&mut self) -> Option<(f32, u32)> {
        if !std::mem::take(&mut self.waits) {
            return None;
        }
        self.cell().waiting.fetch_sub(1, Relaxed);
        let now = self.times.now();
        #[expect(clippy::cast_precision_loss, reason = "near enough")]
        let took = now.saturating_sub(self.started) as f32;
        Some((took, millis(now)))
    }

    fn cell(&self) -> &Cell {
        &self.times.endpoints[self.endpoint as usize].cell
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        if let Some((took, now)) = self.waited() {
            // Nobody waits any more: it would have taken at least that long.
            let others = self.times.fastest_but(self.endpoint as usize, now);
            if took > self.cell().seen().time.max(others) {
                self.cell().observe(took, now);
            }
        }
        self.cell().in_flight.fetch_sub(1, Relaxed);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it comes round")]
fn millis(micros: u64) -> u32 {
    (micros / 1000) as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::{super::tests::members, *};

    fn fresh(weights: &[u16]) -> Arc<LeastTime> {
        Arc::new(LeastTime::new(&members(weights), None))
    }

    /// Asks an endpoint that is chosen, which answers after its time, and says which one it was.
    async fn ask(times: &Arc<LeastTime>, millis: &[u64], status: StatusCode) -> usize {
        let mut pick = times.pick(&[]).unwrap();
        advance(Duration::from_millis(millis[pick.index])).await;
        pick.permit.as_mut().unwrap().answered(Some(status));
        pick.index
    }

    async fn shares(times: &Arc<LeastTime>, millis: &[u64], requests: usize) -> Vec<usize> {
        let mut counts = vec![0; millis.len()];
        for _ in 0..requests {
            counts[ask(times, millis, StatusCode::OK).await] += 1;
        }
        counts
    }

    #[tokio::test(start_paused = true)]
    async fn each_is_tried_once_and_then_the_fast_one_is_preferred() {
        let counts = shares(&fresh(&[1, 1, 1]), &[50, 5, 50], 200).await;
        assert!(counts[0] >= 1 && counts[2] >= 1, "{counts:?}");
        assert!(counts[1] >= 190, "{counts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_nothing_is_known_of_does_not_draw_all_requests() {
        let times = fresh(&[1, 1]);
        let mut first = times.pick(&[]).unwrap();
        advance(Duration::from_millis(5)).await;
        first.permit.as_mut().unwrap().answered(Some(StatusCode::OK));
        let held: Vec<_> = (0..9).map(|_| times.pick(&[]).unwrap()).collect();
        let unknown = held.iter().filter(|pick| pick.index != first.index).count();
        assert_eq!(unknown, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_in_flight_count() {
        let times = fresh(&[1, 1]);
        shares(&times, &[10, 10], 4).await;
        let held: Vec<_> = (0..10).map(|_| times.pick(&[]).unwrap()).collect();
        let first = held.iter().filter(|pick| pick.index == 0).count();
        assert!((4..=6).contains(&first), "{first}");
        drop(held);
        let weighted = fresh(&[4, 1]);
        shares(&weighted, &[10, 10], 4).await;
        let held: Vec<_> = (0..20).map(|_| weighted.pick(&[]).unwrap()).collect();
        let heavy = held.iter().filter(|pick| pick.index == 0).count();
        assert!((14..=18).contains(&heavy), "{heavy}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_at_once_never_looks_fast() {
        for status in [None, Some(StatusCode::SERVICE_UNAVAILABLE)] {
            let times = fresh(&[1, 1]);
            let mut failures = 0;
            for _ in 0..1000 {
                let mut pick = times.pick(&[]).unwrap();
                let permit = pick.permit.as_mut().unwrap();
                if pick.index == 0 {
                    failures += 1;
                    match status {
                        None => permit.failed("upstream_connect"),
                        status => permit.answered(status),
                    }
                } else {
                    advance(Duration::from_millis(5)).await;
                    permit.answered(Some(StatusCode::OK));
                }
            }
            assert!((1..=3).contains(&failures), "{failures} of 1000 in 5 s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_slow_is_asked_again_after_a_while() {
        let times = fresh(&[1, 1]);
        shares(&times, &[5, 2000], 20).await;
        let again = shares(&times, &[5, 5], 24_000).await;
        assert!(again[1] > 100, "{again:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_whose_answers_nobody_waits_for_looks_slow() {
        let times = fresh(&[1, 1]);
        for _ in 0..100 {
            let mut pick = times.pick(&[]).unwrap();
            if pick.index == 0 {
                advance(Duration::from_secs(1)).await;
            } else {
                advance(Duration::from_millis(5)).await;
                pick.permit.as_mut().unwrap().answered(Some(StatusCode::OK));
            }
        }
        let cell = &times.endpoints[0].cell;
        assert!(cell.seen().time >= 1_000_000.0);
        assert_eq!((cell.in_flight.load(Relaxed), cell.waiting.load(Relaxed)), (0, 0));
    }

    #[test]
    fn a_slow_answer_is_believed_at_once_and_fast_ones_by_and_by() {
        let seen = Seen { time: 100.0, at: 0 };
        assert_eq!(seen.with(500.0, 1).unwrap().time, 500.0);
        let third = seen.with(10.0, 10_000).unwrap().time;
        assert!((40.0..45.0).contains(&third), "{third}");
        assert_eq!(seen.with(10.0, 0), None, "no time has passed");
        assert_eq!(Seen::unpack(seen.pack()), seen);
        // A later time of another core, and numbers that have come round.
        assert_eq!(Seen { time: 1.0, at: 5 }.aged(3), 1.0);
        assert!(Seen { time: 1.0, at: u32::MAX }.aged(9_999) < 0.4);
    }
}
