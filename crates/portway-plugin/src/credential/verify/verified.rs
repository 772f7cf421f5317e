//! Pairs that were right lately, and those that are being hashed: each only once at a time, however
//! many requests bring it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_channel::oneshot;

use super::{Digest, Recent};
use crate::Busy;

/// The pairs that are remembered.
const SIZE: usize = 4096;

/// Pairs of a name and a password, by their digests. The lock is held for a look-up at most.
#[derive(Debug)]
pub struct Verified {
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
    #[must_use]
    pub fn new(keep: Duration) -> Arc<Self> {
        let recent = Recent::new(if keep.is_zero() { 0 } else { SIZE });
        Arc::new(Self { keep, state: Mutex::new(State { recent, hashed: HashMap::new() }) })
    }

    /// Until when the pair is known to be right.
    #[must_use]
    pub fn known(&self, pair: &Digest, now: Duration) -> Option<Duration> {
        Some(self.state().recent.get_with_end(pair, now)?.0)
    }

    /// Whether the pair is right at the time `now`: has it hashed, or waits for whoever has it
    /// hashed already. `run` runs work on a thread that may block.
    ///
    /// # Errors
    /// Those of `run`, and that too much is being hashed.
    pub async fn check<E, Running>(
        self: &Arc<Self>,
        pair: Digest,
        now: Duration,
        matches: impl FnOnce() -> bool + Send + 'static,
        run: impl FnOnce(Box<dyn FnOnce() + Send>) -> Running,
    ) -> Result<bool, E>
    where
        E: From<Busy>,
        Running: Future<Output = Result<(), E>>,
    {
        let (first, answer) = self.queue(pair);
        if first {
            let turn = Turn { verified: Arc::clone(self), pair, over: false };
            let end = now + self.keep;
            // Those who wait are told by the thread itself: this request may be gone by then.
            run(Box::new(move || turn.end(matches(), end))).await?;
        }
        answer.await.map_err(|_| Busy.into())
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
