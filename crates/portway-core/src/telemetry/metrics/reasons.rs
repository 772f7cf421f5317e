//! Reasons: short fixed lists whose words are labels, and how often each occurred.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Declares a list of reasons and their words in one go, so that no list can miss one.
macro_rules! reasons {
    ($(#[$about:meta])+ $name:ident: $($(#[$doc:meta])+ $variant:ident $word:literal,)+) => {
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])+ $variant,)+
        }

        impl $name {
            /// Every reason, in the order of its index.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The value of the label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

reasons! {
    /// Why a connection was closed, or a UDP session not begun, before anything was served. The
    /// word is the code in the access log, too.
    Refusal:
    /// The PROXY protocol header was missing, or nonsense.
    ProxyHeader "proxy_header",
    /// The TLS handshake took too long.
    HandshakeTimeout "handshake_timeout",
    /// The TLS handshake failed: the peers have nothing in common, or no trust in each other.
    HandshakeFailed "handshake_failed",
    /// So many TLS handshakes were under way that no further one was begun.
    TooManyHandshakes "too_many_handshakes",
    /// No route or certificate has the name the client asked for (SNI).
    UnknownName "unknown_name",
    /// What came first was no TLS.
    NotTls "not_tls",
    /// What has to come first took too long.
    FirstBytesTimeout "first_bytes_timeout",
    /// The host that was asked for is not one of the listener's.
    UnknownHost "unknown_host",
    /// No route takes what comes to the listener.
    NoRoute "no_route",
    /// No endpoint of the service could be reached.
    NoEndpoint "no_endpoint",
    /// The listener had as many UDP sessions as it may have, and all of them were in use.
    TooManySessions "too_many_sessions",
}

reasons! {
    /// How the call of a plugin has ended.
    PluginOutcome:
    /// It sent the request on.
    Passed "passed",
    /// It answered the request itself.
    Answered "answered",
    /// It refused the request.
    Refused "refused",
    /// It failed.
    Failed "failed",
    /// It panicked.
    Panicked "panicked",
    /// It only reports, and would have answered.
    WouldAnswer "would_answer",
    /// It only reports, and would have refused.
    WouldRefuse "would_refuse",
    /// It only reports, and would have failed.
    WouldFail "would_fail",
}

reasons! {
    /// How a connection or a UDP session that a route took has ended.
    StreamEnd:
    /// Both sides had closed it; a UDP session, because its listener closed.
    Closed "closed",
    /// Nothing passed for as long as `timeouts.idle` allows.
    Idle "idle_timeout",
    /// Its route or its listener was removed, or the gateway ended.
    Cut "cut",
    /// The client broke it off.
    ClientReset "client_reset",
    /// The upstream broke it off.
    UpstreamReset "upstream_reset",
    /// No endpoint could be reached.
    NoEndpoint "no_endpoint",
    /// A UDP session that had been quiet made room for a new one.
    Evicted "evicted",
}

reasons! {
    /// Why a datagram was dropped.
    DatagramLoss:
    /// The queue of the socket it was to leave by was full.
    QueueFull "queue_full",
    /// It was longer than the way on allows.
    TooLong "too_long",
    /// It could not be sent for another reason, such as an endpoint that is gone.
    Unsent "unsent",
}

/// How often each reason of a list occurred.
#[derive(Debug)]
pub(super) struct Counts<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; N])
    }
}

impl<const N: usize> Counts<N> {
    /// Counts the reason of this index.
    pub(super) fn count(&self, reason: usize) {
        self.0[reason].fetch_add(1, Relaxed);
    }

    /// Calls `each` with the indices of the reasons that occurred, and how often.
    pub(super) fn each(&self, mut each: impl FnMut(usize, u64)) {
        for (reason, count) in self.0.iter().enumerate() {
            let count = count.load(Relaxed);
            if count > 0 {
                each(reason, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_count() {
        let counts = Counts::<{ Refusal::ALL.len() }>::default();
        for (index, reason) in Refusal::ALL.into_iter().enumerate() {
            (0..=index).for_each(|_| counts.count(reason as usize));
        }
        let mut found = Vec::new();
        counts.each(|reason, count| found.push((Refusal::ALL[reason], count)));
        assert_eq!(found, Refusal::ALL.into_iter().zip(1..).collect::<Vec<_>>());
    }
}
