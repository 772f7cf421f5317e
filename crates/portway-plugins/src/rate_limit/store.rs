//! Where the counts are. Whoever keeps them elsewhere takes the place of this file.

use smallvec::SmallVec;

use super::{
    Algorithm,
    limit::{Limit, Standing},
    state::State,
};
use crate::keys::{Key, KeyMap, Sharded};

/// The counts of all keys, in parts with a lock each. A lock is held for one look-up and a few
/// additions, never over anything that waits.
#[derive(Debug)]
pub(super) struct Store {
    shards: Sharded<Shard>,
    algorithm: Algorithm,
}

/// What became of one request.
#[derive(Debug)]
pub(super) struct Verdict {
    /// How each limit stands afterwards, in their order.
    pub(super) standings: SmallVec<[Standing; 2]>,
    /// Whether all of them let it pass.
    pub(super) passed: bool,
    /// Whether a key was forgotten for it that did not have its whole quota.
    pub(super) forgot: bool,
}

#[derive(Debug)]
struct Shard {
    /// Where in `entries` a key is.
    index: KeyMap<usize>,
    entries: Vec<Entry>,
    capacity: usize,
    /// Where the search for what can be forgotten goes on.
    hand: usize,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    /// When the whole quota will be there again. What is remembered until then is worth nothing
    /// afterwards.
    whole: u64,
    state: State,
}

impl Store {
    /// A shard with fewer keys is not worth its lock.
    const SMALLEST: usize = 64;

    pub(super) fn new(algorithm: Algorithm, max_keys: usize) -> Self {
        let make = |shards: usize| Shard::new((max_keys / shards).max(1));
        Self { shards: Sharded::new(max_keys / Self::SMALLEST, make), algorithm }
    }

    /// Counts a request in all limits, if all let it pass, or in none.
    pub(super) fn ask(&self, key: Key, limits: &[Limit], now: u64) -> Verdict {
        let mut shard = self.shards.lock(key);
        let fresh = || State::new(self.algorithm, limits.len());
        let (entry, forgot) = shard.entry(key, now, fresh);
        if !entry.state.fits(limits.len()) {
            entry.state = fresh();
        }
        let mut standings: SmallVec<[Standing; 2]> = SmallVec::new();
        let all = limits.iter().enumerate();
        standings.extend(all.clone().map(|(at, limit)| entry.state.look(at, limit, now)));
        let passed = standings.iter().all(|standing| standing.wait == 0);
        if passed {
            for ((at, limit), standing) in all.zip(&mut standings) {
                entry.state.take(at, limit, now);
                *standing = entry.state.look(at, limit, now);
                entry.whole = entry.whole.max(now + standing.reset);
            }
        }
        Verdict { standings, passed, forgot }
    }

    /// How many keys are counted.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.each().map(|shard| shard.entries.len()).sum()
    }
}

impl Shard {
    /// How many keys are looked at for one to forget.
    const LOOKS: usize = 8;

    fn new(capacity: usize) -> Self {
        Self { index: KeyMap::default(), entries: Vec::new(), capacity, hand: 0 }
    }

    /// What is remembered of the key, and whether another was forgotten for it too early.
    fn entry(&mut self, key: Key, now: u64, fresh: impl FnOnce() -> State) -> (&mut Entry, bool) {
        if let Some(at) = self.index.get(&key) {
            return (&mut self.entries[*at], false);
        }
        let entry = Entry { key, whole: now, state: fresh() };
        let least = self.least(now);
        let full = self.entries.len() >= self.capacity;
        let (at, forgot) = match least {
            Some((at, whole)) if whole <= now || full => {
                self.index.remove(&self.entries[at].key);
                self.entries[at] = entry;
                (at, whole > now)
            }
            _ => {
                self.entries.push(entry);
                (self.entries.len() - 1, false)
            }
        };
        self.index.insert(key, at);
        (&mut self.entries[at], forgot)
    }

    /// The key among the next few that is the least loss, and when its quota is whole.
    fn least(&mut self, now: u64) -> Option<(usize, u64)> {
        let mut least: Option<(usize, u64)> = None;
        for _ in 0..Self::LOOKS.min(self.entries.len()) {
            self.hand = (self.hand + 1) % self.entries.len();
            let whole = self.entries[self.hand].whole;
            if least.is_none_or(|(_, other)| whole < other) {
                least = Some((self.hand, whole));
            }
            if whole <= now {
                break;
            }
        }
        least
    }
}
