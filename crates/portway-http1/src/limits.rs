//! Bounds on what a peer may send, and on the time it may take.

use std::time::Duration;

/// Bounds on a message's head. A head beyond them is refused before it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the request target: 414 beyond. Default 8 KiB, as RFC 9112 section 3 asks for.
    pub target: usize,
    /// Header fields: 431 beyond (RFC 6585 section 5). Default 100.
    pub fields: usize,
    /// Bytes of all header lines: 431 beyond. Default 64 KiB.
    pub field_bytes: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { target: 8 * 1024, fields: 100, field_bytes: 64 * 1024 }
    }
}

/// Bytes of all chunk extensions of one body. Nobody sends them in earnest; each is read, checked
/// and forgotten.
pub(crate) const CHUNK_EXTENSION_BYTES: usize = 4 * 1024;

/// Bytes of a trailer section, and its fields.
pub(crate) const TRAILER_BYTES: usize = 16 * 1024;
pub(crate) const TRAILER_FIELDS: usize = 100;

/// The slowest pace at which a body may come or be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest time without a single byte.
    pub idle: Option<Duration>,
    /// Bytes a second, on the average of any [`Pace::WINDOW`] in which the peer was waited for.
    pub rate: Option<u32>,
}

impl Pace {
    /// What a rate is measured over: short pauses are nobody's fault.
    pub const WINDOW: Duration = Duration::from_secs(5);

    /// Any pace will do.
    pub const ANY: Self = Self { idle: None, rate: None };
}

impl Default for Pace {
    /// One minute without a byte; any rate.
    fn default() -> Self {
        Self { idle: Some(Duration::from_secs(60)), rate: None }
    }
}

/// How much of a request that nobody wants is read so that its connection can be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// Bytes of the rest of a body. Default 64 KiB.
    pub bytes: u64,
    /// The time they may take; also how long a closed connection is still read, so that the
    /// client gets its answer (RFC 9112 section 9.6). Default 2 s.
    pub time: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self { bytes: 64 * 1024, time: Duration::from_secs(2) }
    }
}
