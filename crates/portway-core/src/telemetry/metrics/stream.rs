//! What one core counted about one route for connections or datagrams.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{
    histogram::Histogram,
    reasons::{Counts, StreamEnd},
};

/// The numbers of one route for bytes or datagrams towards one service, on one core.
#[derive(Default)]
#[repr(align(128))]
pub struct StreamCells {
    pub(super) ends: Counts<{ StreamEnd::ALL.len() }>,
    pub(super) total: Histogram,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
}

impl StreamCells {
    /// Counts a connection or a UDP session that is over. The bytes are those the client sent, and
    /// those it was sent.
    pub fn finished(&self, end: StreamEnd, total: Duration, bytes_in: u64, bytes_out: u64) {
        self.ends.count(end as usize);
        self.total.observe(total);
        self.bytes_in.fetch_add(bytes_in, Relaxed);
        self.bytes_out.fetch_add(bytes_out, Relaxed);
    }
}

impl std::fmt::Debug for StreamCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamCells")
    }
}
