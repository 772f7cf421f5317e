//! Tells a client that floods: whose frames say nothing, and of which there are many.
//!
//! The library answers or ignores `SETTINGS`, `PING`, `PRIORITY`, `WINDOW_UPDATE` and types nobody
//! knows, one by one, for as long as they come (fault C4). They cost their sender next to nothing,
//! so they have to be paid for: by bytes of bodies either way, by requests, or by patience.
//! Resets and empty data are the library's to count.

/// How long the head of a frame is (RFC 9113 section 4.1).
const HEAD: usize = 9;
/// What comes before the first frame (RFC 9113 section 3.4).
const PREFACE: usize = 24;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;

/// What a frame costs that says nothing, in bytes of a body: a client that downloads makes room
/// for more with two of them for every 16 KiB or so.
const COST: u64 = 64;
/// What a request pays: browsers say with some more frames how urgent it is.
const REQUEST: u64 = 10 * COST;
/// What a millisecond pays: about a hundred frames a second may come for ever.
const MILLISECOND: u64 = 6;
/// What may be owed: ten thousand frames.
const CREDIT: u64 = 10_000 * COST;

/// Counts the frames of a client that say nothing.
pub(super) struct Meter {
    head: [u8; HEAD],
    /// How much of the head is there.
    filled: usize,
    /// What is to be passed over before the next head.
    ahead: usize,
    owed: u64,
    /// When it was last paid by patience, in milliseconds.
    paid: u64,
}

impl Meter {
    /// For a connection of which nothing was read.
    pub(super) fn new() -> Self {
        Self { head: [0; HEAD], filled: 0, ahead: PREFACE, owed: 0, paid: 0 }
    }

    /// Looks at what came, so many milliseconds after the beginning.
    pub(super) fn reads(&mut self, mut bytes: &[u8], millis: u64) {
        self.pay(millis.saturating_sub(self.paid).saturating_mul(MILLISECOND));
        self.paid = millis;
        loop {
            let passed = self.ahead.min(bytes.len());
            self.ahead -= passed;
            bytes = &bytes[passed..];
            if bytes.is_empty() {
                return;
            }
            let part = bytes.len().min(HEAD - self.filled);
            self.head[self.filled..self.filled + part].copy_from_slice(&bytes[..part]);
            self.filled += part;
            bytes = &bytes[part..];
            if self.filled == HEAD {
                self.filled = 0;
                self.counts();
            }
        }
    }

    /// So many bytes went to the client.
    pub(super) fn writes(&mut self, bytes: usize) {
        self.pay(bytes as u64);
    }

    /// Whether more is owed than anybody may.
    pub(super) fn is_flooded(&self) -> bool {
        self.owed > CREDIT
    }

    fn counts(&mut self) {
        let [a, b, c, kind, ..] = self.head;
        let length = u32::from_be_bytes([0, a, b, c]);
        self.ahead = length as usize;
        match kind {
            DATA => self.pay(length.into()),
            HEADERS => self.pay(REQUEST),
            RST_STREAM | CONTINUATION => {}
            _ => self.owed += COST,
        }
    }

    fn pay(&mut self, amount: u64) {
        self.owed = self.owed.saturating_sub(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn begun() -> Meter {
        let mut meter = Meter::new();
        meter.reads(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0);
        meter
    }

    #[test]
    fn frames_are_found_wherever_they_are_cut() {
        let many = PING.repeat(100);
        for every in 1..40 {
            let mut meter = begun();
            many.chunks(every).for_each(|part| meter.reads(part, 0));
            assert_eq!(meter.owed, 100 * COST, "{every} at a time");
        }
    }

    #[test]
    fn what_carries_something_pays_for_what_does_not() {
        let mut meter = begun();
        meter.reads(&PING.repeat(100), 0);
        meter.reads(&[0, 0, 128, DATA, 0, 0, 0, 0, 1], 0);
        meter.reads(&[0; 128], 0);
        assert_eq!(meter.owed, 98 * COST);
        meter.reads(&[0, 0, 0, HEADERS, 5, 0, 0, 0, 3], 0);
        assert_eq!(meter.owed, 88 * COST);
        meter.writes(64);
        assert_eq!(meter.owed, 87 * COST);
        meter.reads(&[], 10_000);
        assert_eq!(meter.owed, 0);
    }

    #[test]
    fn a_flood_is_one_only_if_it_comes_at_once() {
        let mut slowly = begun();
        for second in 0..1000 {
            slowly.reads(&PING.repeat(90), second * 1000);
        }
        assert!(!slowly.is_flooded());
        let mut at_once = begun();
        at_once.reads(&PING.repeat(10_000), 0);
        assert!(!at_once.is_flooded());
        at_once.reads(&PING, 0);
        assert!(at_once.is_flooded());
    }
}
