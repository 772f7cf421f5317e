//! Counters by method and status: few pairs ever occur on a route, so the table is sparse.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::method;

/// Pairs in one chunk: eight words are one cache line.
const PAIRS: usize = 8;
/// Chunks at most. An upstream may answer with any status from 100 to 999; the pairs beyond the
/// first 64 on one core are counted together, so that it cannot fill the scrape with series.
const CHUNKS: usize = 8;
/// A slot holds its pair in the upper 16 bits and the count in the lower 48: enough for a million
/// requests a second over eight years.
const COUNT_BITS: u32 = 48;
/// Marks a slot as taken, so that no pair is zero.
const TAKEN: u64 = 1 << 15;
const STATUS_BITS: u32 = 10;

/// What happened on a route: how many requests ended with which method and status. A slot is
/// claimed and counted in with single atomic operations; a chunk is added when the last is full.
#[derive(Default)]
pub(super) struct Outcomes {
    first: Chunk,
    overflow: AtomicU64,
}

#[derive(Default)]
struct Chunk {
    slots: [AtomicU64; PAIRS],
    next: OnceLock<Box<Chunk>>,
}

impl Outcomes {
    /// Counts one request.
    #[inline]
    pub(super) fn count(&self, method: u8, status: u16) {
        let key = TAKEN | (u64::from(method) << STATUS_BITS) | u64::from(status.min(999));
        let mut chunk = &self.first;
        for depth in 1..=CHUNKS {
            if chunk.count(key) {
                return;
            }
            if depth < CHUNKS {
                chunk = chunk.next.get_or_init(Box::default);
            }
        }
        self.overflow.fetch_add(1, Relaxed);
    }

    /// Calls `each` with a method's index, a status and a count. Status 0 stands for the pairs
    /// beyond the cap.
    pub(super) fn each(&self, mut each: impl FnMut(u8, u16, u64)) {
        let mut next = Some(&self.first);
        while let Some(chunk) = next {
            for slot in &chunk.slots {
                let word = slot.load(Relaxed);
                if word != 0 {
                    let [high, low, ..] = word.to_be_bytes();
                    let key = u16::from_be_bytes([high, low]);
                    let status = key & ((1 << STATUS_BITS) - 1);
                    each((high & 0x7f) >> 2, status, word & ((1 << COUNT_BITS) - 1));
                }
            }
            next = chunk.next.get().map(AsRef::as_ref);
        }
        let overflow = self.overflow.load(Relaxed);
        if overflow > 0 {
            each(method::OTHER, 0, overflow);
        }
    }
}

impl Chunk {
    /// Counts in the pair's slot, or in a free one that becomes the pair's; `false` when there is
    /// neither.
    #[inline]
    fn count(&self, key: u64) -> bool {
        for slot in &self.slots {
            let mut word = slot.load(Relaxed);
            if word == 0 {
                match slot.compare_exchange(0, (key << COUNT_BITS) | 1, Relaxed, Relaxed) {
                    Ok(_) => return true,
                    Err(taken) => word = taken,
                }
            }
            if word >> COUNT_BITS == key {
                slot.fetch_add(1, Relaxed);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn counted(outcomes: &Outcomes) -> BTreeMap<(u8, u16), u64> {
        let mut counts = BTreeMap::new();
        outcomes.each(|method, status, count| {
            assert_eq!(counts.insert((method, status), count), None, "a pair has one slot");
        });
        counts
    }

    #[test]
    fn pairs_are_kept_apart() {
        let outcomes = Outcomes::default();
        for (method, status, times) in
            [(0, 200, 3), (0, 404, 1), (9, 200, 2), (2, 999, 1), (2, 100, 1)]
        {
            for _ in 0..times {
                outcomes.count(method, status);
            }
        }
        let expected = [((0, 200), 3), ((0, 404), 1), ((2, 100), 1), ((2, 999), 1), ((9, 200), 2)];
        assert_eq!(counted(&outcomes), BTreeMap::from(expected));
    }

    #[test]
    fn more_pairs_than_the_cap_are_counted_together() {
        let outcomes = Outcomes::default();
        for status in 100..1000 {
            outcomes.count(0, status);
            outcomes.count(0, status);
        }
        let counts = counted(&outcomes);
        assert_eq!(counts.len(), PAIRS * CHUNKS + 1);
        assert_eq!(counts[&(method::OTHER, 0)], 2 * (900 - 64));
        assert_eq!(counts.values().sum::<u64>(), 1800);
    }

    #[test]
    fn no_request_is_lost_when_threads_share_a_table() {
        const THREADS: u16 = 4;
        const EACH: u64 = 20_000;
        let outcomes = Outcomes::default();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let outcomes = &outcomes;
                scope.spawn(move || {
                    for turn in 0..EACH {
                        let turn = u16::try_from(turn % 40).unwrap();
                        outcomes.count(0, 200 + (turn + thread * 10) % 40);
                    }
                });
            }
        });
        let counts = counted(&outcomes);
        assert_eq!(counts.len(), 40);
        for (pair, count) in counts {
            assert_eq!(count, u64::from(THREADS) * EACH / 40, "{pair:?}");
        }
    }
}
