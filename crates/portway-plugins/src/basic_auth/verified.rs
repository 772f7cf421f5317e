//! Pairs that were right lately, and those that are being hashed: each only once at a time, however
//! many requests bring it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_channel::oneshot;
use portway_plugin::{
    Busy, Host,
    credential::{Digest, Recent},
};

/// The pairs that are remembered.
const SIZE: usize = 4096;

/// What all cores share of it. The lock is held for a look-up at most, and each core remembers
/// what it has learned here.
#[derive(Debug)]
pub(super) struct Verified {
    keep: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    recent: Recent<()>,
    /// Who waits for a pair that is being hashed.
    hashed: HashMap<Digest, Vec<oneshot::Sender<bool>>>,
}

impl Verified {
    /// Remembers pairs for this long.
    pub(super) fn new(keep: Duration) -> Arc<Self> {
        let recent = Recent::new(if keep.is_zero() { 0 } else { SIZE });
        Arc::new(Self { keep, state: Mutex::new(State { recent, hashed: HashMap::new() }) })
    }

    /// Until when the pair is known to be right.
    pub(super) fn known(&self, pair: &Digest, now: Duration) -> Option<Duration> {
        Some(self.state().recent.get_with_end(pair, now)?.0)
    }

    /// Whether the pair is right: hashes it, or waits for whoever hashes it already.
    ///
    /// # Errors
    /// Too much is being hashed.
    pub(super) async fn check(
        self: &Arc<Self>,
        pair: Digest,
        host: &Host,
        matches: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<bool, Busy> {
        let (first, answer) = self.queue(pair);
        if first {
            let turn = Turn { verified: Arc::clone(self), pair, over: false };
            let end = host.elapsed() + self.keep;
            // Those who wait are told by the thread itself: this request may be gone by then.
            host.blocking(move || turn.end(matches(), end)).await?;
        }
        answer.await.map_err(|_| Busy)
    }

    /// Waits for the pair; `true` for the first who does.
    fn queue(&self, pair: Digest) -> (bool, oneshot::Receiver<bool>) {
        let (giver, taker) = oneshot::channel();
        let mut state = self.state();
        let waiting = state.hashed.entry(pair).or_default();
        waiting.push(giver);
        (waiting.len() == 1, taker)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn of one pair. When it is dropped, nobody waits for the pair any more: those who did hear
/// that there is no answer.
struct Turn {
    verified: Arc<Verified>,
    pair: Digest,
    over: bool,
}

impl Turn {
    fn end(mut self, right: bool, end: Duration) {
        self.over = true;
        let mut state = self.verified.state();
        if right {
            state.recent.put(self.pair, (), end);
        }
        let waiting = state.hashed.remove(&self.pair);
        drop(state);
        for giver in waiting.into_iter().flatten() {
            // Whoever has left needs no answer.
            let _ = giver.send(right);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.over {
            self.verified.state().hashed.remove(&self.pair);
        }
    }
}
