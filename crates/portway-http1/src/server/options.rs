//! How a connection is served.

use std::time::Duration;

use crate::limits::{Drain, HeadLimits, Pace};

/// How a connection is served. The defaults suit a server on the open internet.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bounds on a request's head.
    pub head: HeadLimits,
    /// The time from a head's first byte to its last: 408 beyond. Default 30 s. Also what a new
    /// connection has for its first byte.
    pub head_time: Option<Duration>,
    /// How long a connection may wait for its next request. Default 60 s.
    pub idle: Option<Duration>,
    /// The pace at which a request's body must come while it is waited for.
    pub upload: Pace,
    /// The pace at which a client must take an answer. A rate is a coarse measure here: a socket
    /// takes nothing for as long as a large part of its buffer is on its way, so that a client at
    /// 100 KB/s may seem to stand still for many seconds.
    pub download: Pace,
    /// What is read of requests that nobody wants.
    pub drain: Drain,
    /// Who answers `Expect: 100-continue`.
    pub expect: Continue,
    /// Whether a client that closes its sending side still gets its answer. Off by default: there
    /// is no telling it from one that has left.
    pub half_close: bool,
    /// Whether requests carry the [`Spelling`](crate::head::Spelling) of their fields.
    pub keep_spelling: bool,
}

/// Who answers `Expect: 100-continue` (RFC 9110 section 10.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Continue {
    /// The connection, when the body is first asked for.
    #[default]
    Here,
    /// The service, by an interim answer.
    Service,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            head: HeadLimits::default(),
            head_time: Some(Duration::from_secs(30)),
            idle: Some(Duration::from_secs(60)),
            upload: Pace::default(),
            download: Pace::default(),
            drain: Drain::default(),
            expect: Continue::Here,
            half_close: false,
            keep_spelling: false,
        }
    }
}
