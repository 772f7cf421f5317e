//! One timer for a whole connection, and the pace of a body.

use std::{future::Future, pin::Pin, task::Context, time::Duration};

use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::Pace;

/// The one timer of a connection. It is armed lazily: only for a deadline before the one it is
/// armed for, so that a busy connection re-arms it about once per idle period.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    alarm: Option<Pin<Box<Sleep>>>,
    /// Whether the alarm wakes another task than the one that asks next.
    stale: bool,
}

impl Clock {
    /// What the alarm is armed for.
    pub(crate) fn armed_for(&self) -> Option<Instant> {
        let alarm = self.alarm.as_ref().filter(|alarm| !self.stale && !alarm.is_elapsed())?;
        Some(alarm.deadline())
    }

    /// The task that asks next is another one.
    pub(crate) fn change_task(&mut self) {
        self.stale = true;
    }

    /// Whether `deadline` has passed; if not, sees to it that the task is woken in time.
    pub(crate) fn is_past(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = deadline else { return false };
        let stale = std::mem::take(&mut self.stale);
        let alarm = match &mut self.alarm {
            // A task's waker stays the same: an alarm that is armed need not be polled again.
            Some(alarm) if !stale && !alarm.is_elapsed() && alarm.deadline() <= deadline => {
                return false;
            }
            Some(alarm) => alarm,
            None => self.alarm.insert(Box::pin(sleep_until(deadline))),
        };
        if alarm.is_elapsed() && Instant::now() >= deadline {
            return true;
        }
        if alarm.is_elapsed() || alarm.deadline() > deadline {
            alarm.as_mut().reset(deadline);
        }
        // One that was armed for an earlier deadline fires early, and is armed again.
        while alarm.as_mut().poll(cx).is_ready() {
            if alarm.deadline() >= deadline {
                return true;
            }
            alarm.as_mut().reset(deadline);
        }
        false
    }
}

/// How a body moves while its peer is waited for. Time in which it is not waited for, because the
/// other side is slow, does not count against it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Since when it is waited for.
    since: Option<Instant>,
    /// For how long it was waited for in this window.
    waited: Duration,
    /// What moved in this window.
    bytes: u64,
}

impl Progress {
    /// The peer has to be waited for.
    pub(crate) fn wait(&mut self) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
        }
    }

    /// Bytes moved.
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// When to look at it again.
    pub(crate) fn deadline(&self, pace: Pace) -> Option<Instant> {
        let since = self.since?;
        let idle = pace.idle.map(|idle| since + idle);
        let window = pace.rate.map(|_| since + Pace::WINDOW.saturating_sub(self.waited));
        idle.into_iter().chain(window).min()
    }

    /// Whether it is too slow. Begins a new window when one is over.
    pub(crate) fn is_too_slow(&mut self, pace: Pace) -> bool {
        let Some(since) = self.since else { return false };
        let now = Instant::now();
        if pace.idle.is_some_and(|idle| now >= since + idle) {
            return true;
        }
        let Some(rate) = pace.rate else { return false };
        if self.waited + now.saturating_duration_since(since) < Pace::WINDOW {
            return false;
        }
        let wanted = u64::from(rate) * Pace::WINDOW.as_secs();
        let slow = self.bytes < wanted;
        *self = Self { since: Some(now), waited: Duration::ZERO, bytes: 0 };
        slow
    }
}
