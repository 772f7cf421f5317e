//! The clock of one HTTP/2 connection: is it idle, does it take what it is sent?
//!
//! One timer watches all of it. It is armed lazily, only when a deadline lies before the one it
//! is armed for, so that a busy connection re-arms it about once per idle period.

use std::{
    pin::Pin,
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

const IDLE: u8 = 0;
const BUSY: u8 = 1;

/// A request that is taken back sooner than this was hardly meant.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What a connection is doing, and since when. Written by the connection's own task; shared
/// because the exchange may end elsewhere.
#[derive(Debug)]
pub(super) struct Pace {
    epoch: Instant,
    phase: AtomicU8,
    /// Milliseconds from the epoch to the beginning of the phase.
    since: AtomicU64,
    in_flight: AtomicU32,
    /// Milliseconds from the epoch to when the client began to take nothing; 0 while it does.
    blocked: AtomicU64,
    /// Milliseconds for which it may take nothing; 0 for ever.
    patience: AtomicU64,
    /// Milliseconds from the epoch to when something last came.
    heard: AtomicU64,
    retired: AtomicBool,
    /// Requests that the client took back at once, less those it let be answered.
    taken_back: AtomicU32,
    flooded: AtomicBool,
}

/// What the timer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing has come for too long.
    Idle,
    /// The client has taken nothing for too long.
    Stuck,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Arc<Self> {
        Arc::new(Self {
            epoch: now,
            phase: AtomicU8::new(IDLE),
            since: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            blocked: AtomicU64::new(0),
            patience: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            retired: AtomicBool::new(false),
            taken_back: AtomicU32::new(0),
            flooded: AtomicBool::new(false),
        })
    }

    /// A request is served from now on.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.phase.store(BUSY, Ordering::Relaxed);
    }

    /// A request was served, at `now`.
    pub(super) fn end(&self, now: Instant) {
        if self.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.enter(IDLE, now);
        }
    }

    /// Closes the connection if the client takes not one byte of an answer for so long.
    pub(super) fn wait_for_client(&self, limit: Option<Duration>) {
        let limit = limit.map_or(0, |limit| u64::try_from(limit.as_millis()).unwrap_or(0));
        self.patience.store(limit, Ordering::Relaxed);
    }

    /// Something has come. Returns when, in milliseconds from the beginning.
    pub(super) fn hears(&self) -> u64 {
        let now = self.millis(Instant::now());
        self.heard.store(now, Ordering::Relaxed);
        now
    }

    /// When something last came.
    pub(super) fn heard(&self) -> Instant {
        self.epoch + Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }

    /// A write waits for the client.
    pub(super) fn blocked(&self) {
        if self.blocked.load(Ordering::Relaxed) == 0 {
            self.blocked.store(self.millis(Instant::now()).max(1), Ordering::Relaxed);
        }
    }

    /// A write went on.
    pub(super) fn unblocked(&self) {
        if self.blocked.load(Ordering::Relaxed) != 0 {
            self.blocked.store(0, Ordering::Relaxed);
        }
    }

    /// The connection takes no further request: what is in flight is the last.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    /// The client has reset a request that was not answered and that came at `began`. Whoever
    /// waited for a while before it gave up is not counted.
    pub(super) fn takes_back(&self, began: Instant) {
        if self.heard().saturating_duration_since(began) < AT_ONCE {
            self.taken_back.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The client has let a request be answered.
    pub(super) fn lets_answer(&self) {
        // Nothing to pay off is by far the usual case, and costs no more than this look.
        if self.taken_back.load(Ordering::Relaxed) > 0 {
            let less = |count: u32| count.checked_sub(1);
            let _ = self.taken_back.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// How many more requests the client took back at once than it let be answered.
    pub(super) fn taken_back(&self) -> u32 {
        self.taken_back.load(Ordering::Relaxed)
    }

    /// The client sends more that means nothing than anybody has to.
    pub(super) fn floods(&self) {
        self.flooded.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_flooded(&self) -> bool {
        self.flooded.load(Ordering::Relaxed)
    }

    fn enter(&self, phase: u8, now: Instant) {
        self.since.store(self.millis(now), Ordering::Relaxed);
        self.phase.store(phase, Ordering::Relaxed);
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }

    fn deadline(&self, idle: Option<Duration>) -> Option<(Instant, Overdue)> {
        if self.phase.load(Ordering::Relaxed) == IDLE {
            let since = self.epoch + Duration::from_millis(self.since.load(Ordering::Relaxed));
            return idle.map(|idle| (since + idle, Overdue::Idle));
        }
        let blocked = self.blocked.load(Ordering::Relaxed);
        let patience = self.patience.load(Ordering::Relaxed);
        (patience > 0 && blocked > 0)
            .then(|| (self.epoch + Duration::from_millis(blocked + patience), Overdue::Stuck))
    }
}

/// The one timer of a connection.
pub(super) struct Watchdog {
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self { alarm: None }
    }

    /// To be called at the end of each poll of the connection: says what is overdue, else sees to
    /// it that the task is woken in time.
    pub(super) fn poll(
        &mut self,
        pace: &Pace,
        idle: Option<Duration>,
        cx: &mut Context<'_>,
    ) -> Poll<Overdue> {
        let Some((deadline, overdue)) = pace.deadline(idle) else { return Poll::Pending };
        let alarm = match &mut self.alarm {
            // The waker of a task never changes: one that is armed need not be polled again.
            Some(alarm) if !alarm.is_elapsed() && alarm.deadline() <= deadline => {
                return Poll::Pending;
            }
            Some(alarm) => alarm,
            None => self.alarm.insert(Box::pin(tokio::time::sleep_until(deadline))),
        };
        if alarm.is_elapsed() && Instant::now() >= deadline {
            return Poll::Ready(overdue);
        }
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        alarm.as_mut().poll(cx).map(|()| overdue)
    }
}
