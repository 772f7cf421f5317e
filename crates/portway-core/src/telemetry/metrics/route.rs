//! What one core counted about one route.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use http::Method;

use super::{histogram::Histogram, method, outcomes::Outcomes};

/// The route and the service of a request that matched none. No resource can have this name.
pub const NO_ROUTE: &str = "-";

/// What stands in the place of the route of a request to the admin API.
pub const ADMIN: &str = "-admin";

/// One route's numbers on one core. They stand on cache lines of their own: another core never
/// writes there.
#[derive(Default)]
#[repr(align(128))]
pub struct RouteCells {
    pub(super) outcomes: Outcomes,
    pub(super) total: Histogram,
    pub(super) upstream: Histogram,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    pub(super) streams_cut: AtomicU64,
}

impl RouteCells {
    /// Counts a request that is over: its answer's last byte was sent, or the client left.
    /// `upstream` is the time the upstream took, when one was asked; the bytes are those of the
    /// bodies.
    #[inline]
    pub fn finished(
        &self,
        method: &Method,
        status: u16,
        total: Duration,
        upstream: Option<Duration>,
        bytes_in: u64,
        bytes_out: u64,
    ) {
        self.outcomes.count(method::index(method), status);
        self.total.observe(total);
        if let Some(upstream) = upstream {
            self.upstream.observe(upstream);
        }
        // Most requests have no body: the test is cheaper than the write.
        if bytes_in > 0 {
            self.bytes_in.fetch_add(bytes_in, Relaxed);
        }
        if bytes_out > 0 {
            self.bytes_out.fetch_add(bytes_out, Relaxed);
        }
    }

    /// Counts a stream that was ended because the configuration no longer has its route or its
    /// listener.
    pub fn stream_cut(&self) {
        self.streams_cut.fetch_add(1, Relaxed);
    }
}

impl std::fmt::Debug for RouteCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RouteCells")
    }
}
