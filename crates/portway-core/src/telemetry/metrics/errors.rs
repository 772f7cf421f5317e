//! Errors by code and side.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use portway_plugin::Side;

/// Codes in one chunk.
const CODES: usize = 16;
/// Chunks at most. Codes are words in a program's text, but a plugin may have many: those beyond
/// 256 are counted as `other`.
const CHUNKS: usize = 16;
/// The code for what is beyond the cap.
const OTHER: &str = "other";

/// How many requests failed, by code and side. Codes keep the order in which they first occurred,
/// so the frequent ones are found first.
#[derive(Default)]
pub(super) struct Errors {
    first: Chunk,
    overflow: [AtomicU64; 3],
}

#[derive(Default)]
struct Chunk {
    slots: [Slot; CODES],
    next: OnceLock<Box<Chunk>>,
}

#[derive(Default)]
struct Slot {
    key: OnceLock<(&'static str, Side)>,
    count: AtomicU64,
}

impl Errors {
    /// Counts one failure.
    pub(super) fn count(&self, code: &'static str, side: Side) {
        let mut chunk = &self.first;
        for depth in 1..=CHUNKS {
            for slot in &chunk.slots {
                if *slot.key.get_or_init(|| (code, side)) == (code, side) {
                    slot.count.fetch_add(1, Relaxed);
                    return;
                }
            }
            if depth < CHUNKS {
                chunk = chunk.next.get_or_init(Box::default);
            }
        }
        let side = match side {
            Side::Client => 0,
            Side::Upstream => 1,
            Side::Gateway => 2,
        };
        self.overflow[side].fetch_add(1, Relaxed);
    }

    /// Calls `each` with a code, a side and a count.
    pub(super) fn each(&self, mut each: impl FnMut(&'static str, Side, u64)) {
        let mut next = Some(&self.first);
        while let Some(chunk) = next {
            for slot in &chunk.slots {
                if let Some((code, side)) = slot.key.get() {
                    each(code, *side, slot.count.load(Relaxed));
                }
            }
            next = chunk.next.get().map(AsRef::as_ref);
        }
        for (side, count) in
            [Side::Client, Side::Upstream, Side::Gateway].iter().zip(&self.overflow)
        {
            let count = count.load(Relaxed);
            if count > 0 {
                each(OTHER, *side, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(errors: &Errors) -> Vec<(&'static str, Side, u64)> {
        let mut counts = Vec::new();
        errors.each(|code, side, count| counts.push((code, side, count)));
        counts
    }

    #[test]
    fn codes_and_sides_are_kept_apart() {
        let errors = Errors::default();
        errors.count("no_route", Side::Client);
        errors.count("timeout", Side::Upstream);
        errors.count("timeout", Side::Client);
        errors.count("no_route", Side::Client);
        let expected = [
            ("no_route", Side::Client, 2),
            ("timeout", Side::Upstream, 1),
            ("timeout", Side::Client, 1),
        ];
        assert_eq!(counted(&errors), expected);
    }

    #[test]
    fn codes_beyond_the_cap_are_other() {
        let errors = Errors::default();
        for number in 0..300 {
            let code: &'static str = format!("code_{number}").leak();
            errors.count(code, Side::Gateway);
        }
        let counts = counted(&errors);
        assert_eq!(counts.len(), CODES * CHUNKS + 1);
        assert_eq!(counts[CODES * CHUNKS], (OTHER, Side::Gateway, 300 - 256));
    }
}
