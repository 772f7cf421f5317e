//! Connections that were closed before anything was served on them, by reason.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Declares the reasons and their words in one go, so that no list can miss one.
macro_rules! refusals {
    ($($(#[$doc:meta])+ $variant:ident $word:literal,)+) => {
        /// Why a connection was closed, or a UDP session not begun, before anything was served.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[$doc])+ $variant,)+
        }

        impl Refusal {
            /// Every reason, in the order of its index.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The value of the label `reason`, and the code in the access log.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

refusals! {
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
    /// The listener had as many UDP sessions as it may have, and none of them was idle.
    TooManySessions "too_many_sessions",
}

/// How many connections were refused, by reason.
#[derive(Debug, Default)]
pub(super) struct Refusals([AtomicU64; Refusal::ALL.len()]);

impl Refusals {
    pub(super) fn count(&self, reason: Refusal) {
        self.0[reason as usize].fetch_add(1, Relaxed);
    }

    /// Calls `each` with the reasons that occurred, and how often.
    pub(super) fn each(&self, mut each: impl FnMut(Refusal, u64)) {
        for (reason, count) in Refusal::ALL.into_iter().zip(&self.0) {
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
        let refusals = Refusals::default();
        for (index, reason) in Refusal::ALL.into_iter().enumerate() {
            (0..=index).for_each(|_| refusals.count(reason));
        }
        let mut counts = Vec::new();
        refusals.each(|reason, count| counts.push((reason, count)));
        let expected: Vec<_> = Refusal::ALL.into_iter().zip(1..).collect();
        assert_eq!(counts, expected);
    }
}
