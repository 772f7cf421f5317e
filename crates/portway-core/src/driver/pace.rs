//! The clock of one client connection: is it idle, is a head on its way, is a request served?
//!
//! One timer watches all of it. It is armed lazily, only when a deadline lies before the one it
//! is armed for, so that a busy keep-alive connection re-arms it about once per idle period
//! instead of several times per request.

use std::{
    pin::Pin,
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;

/// What a connection is doing, and since when. Written by the connection's own task; shared
/// because the exchange may end elsewhere.
#[derive(Debug)]
pub(crate) struct Pace {
    epoch: Instant,
    phase: AtomicU8,
    /// Milliseconds from the epoch to the beginning of the phase.
    since: AtomicU64,
    in_flight: AtomicU32,
    /// Milliseconds from the epoch to the instant at which the exchange is cut; 0 for never.
    cut: AtomicU64,
    /// Milliseconds from the epoch to when the client began to take nothing; 0 while it does.
    blocked: AtomicU64,
    /// Milliseconds for which it may take nothing; 0 for ever.
    patience: AtomicU64,
    retired: AtomicBool,
    unread: AtomicBool,
}

/// The time a connection may spend in each phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PaceLimits {
    pub(crate) header_read: Option<Duration>,
    pub(crate) idle: Option<Duration>,
}

/// What the timer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing has come for too long.
    Idle,
    /// A head, or an exchange with a deadline of its own, has taken too long.
    Stuck,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Arc<Self> {
        Arc::new(Self {
            epoch: now,
            phase: AtomicU8::new(IDLE),
            since: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            cut: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            patience: AtomicU64::new(0),
            retired: AtomicBool::new(false),
            unread: AtomicBool::new(false),
        })
    }

    /// A request is served from now on.
    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.phase.store(BUSY, Ordering::Relaxed);
    }

    /// A request was served, at `now`.
    pub(crate) fn end(&self, now: Instant) {
        if self.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.cut.store(0, Ordering::Relaxed);
            self.enter(IDLE, now);
        }
    }

    /// Closes the connection if the exchange is still running at `deadline`.
    pub(crate) fn cut_at(&self, deadline: Instant) {
        self.cut.store(self.millis(deadline).max(1), Ordering::Relaxed);
    }

    /// Closes the connection if the client takes not one byte of an answer for so long.
    pub(crate) fn wait_for_client(&self, limit: Option<Duration>) {
        let limit = limit.map_or(0, |limit| u64::try_from(limit.as_millis()).unwrap_or(0));
        self.patience.store(limit, Ordering::Relaxed);
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

    /// The end of a request's body will not be waited for.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Whether the client may be in the middle of a request.
    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed) || self.phase.load(Ordering::Relaxed) == HEAD
    }

    /// The connection takes no further request: what is in flight is the last.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    /// A byte of HTTP/1.1 came, which begins a head unless something is under way.
    pub(super) fn received(&self) {
        if self.phase.load(Ordering::Relaxed) == IDLE {
            self.enter(HEAD, Instant::now());
        }
    }

    fn enter(&self, phase: u8, now: Instant) {
        self.since.store(self.millis(now), Ordering::Relaxed);
        self.phase.store(phase, Ordering::Relaxed);
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }

    fn deadline(&self, limits: PaceLimits) -> Option<(Instant, Overdue)> {
        let since = self.epoch + Duration::from_millis(self.since.load(Ordering::Relaxed));
        match self.phase.load(Ordering::Relaxed) {
            IDLE => limits.idle.map(|idle| (since + idle, Overdue::Idle)),
            HEAD => limits.header_read.map(|read| (since + read, Overdue::Stuck)),
            _ => {
                let cut = self.cut.load(Ordering::Relaxed);
                let blocked = self.blocked.load(Ordering::Relaxed);
                let patience = self.patience.load(Ordering::Relaxed);
                let tired = if patience == 0 || blocked == 0 { 0 } else { blocked + patience };
                let first = [cut, tired].into_iter().filter(|&millis| millis > 0).min();
                first.map(|millis| (self.epoch + Duration::from_millis(millis), Overdue::Stuck))
            }
        }
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
        limits: PaceLimits,
        cx: &mut Context<'_>,
    ) -> Poll<Overdue> {
        let Some((deadline, overdue)) = pace.deadline(limits) else { return Poll::Pending };
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
