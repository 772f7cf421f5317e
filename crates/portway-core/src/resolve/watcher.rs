//! The task that keeps one name current.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

use super::{
    found::LookupError,
    name::{Current, State},
    servers::Servers,
    timing::{Backoff, Timing},
};

/// For how long name servers must say that a name has no address before its last addresses are
/// given up. Shorter spells are seen when a zone is loaded or a cluster's name server restarts;
/// after longer ones the addresses may already be somebody else's.
const HOLD_DENIED: Duration = Duration::from_secs(30);

/// What all watchers of a resolver share.
pub(super) struct Means {
    pub(super) servers: Servers,
    pub(super) timing: Timing,
    pub(super) permits: Semaphore,
}

/// Looks the name up for ever. It ends by being aborted, when the last handle is dropped.
pub(super) async fn keep_current(current: Arc<Current>, means: Arc<Means>) {
    let mut backoff = Backoff::default();
    let mut denials = Denials::default();
    loop {
        let known = current.addresses();
        let result = {
            let permit = means.permits.acquire().await;
            let result = means.servers.look_up(&current.host, &known.addresses).await;
            drop(permit);
            result
        };
        let wait = match result {
            Ok(found) => {
                backoff.reset();
                denials = Denials::default();
                accept(&current, found.addresses);
                means.timing.after_answer(found.ttl, fastrand::f64())
            }
            Err(error) => {
                let give_up = denials.give_up(&error);
                reject(&current, &error, give_up);
                backoff.next(fastrand::f64())
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Since when the name servers have said that there are no addresses, without a break.
#[derive(Debug, Default)]
struct Denials {
    since: Option<Instant>,
}

impl Denials {
    /// Whether the last addresses are to be given up after this failure.
    fn give_up(&mut self, error: &LookupError) -> bool {
        match error {
            LookupError::NoAddresses => {
                self.since.get_or_insert_with(Instant::now).elapsed() >= HOLD_DENIED
            }
            LookupError::Failed(_) => {
                self.since = None;
                false
            }
        }
    }
}

/// An answer came. That is said once, when there was none before.
fn accept(current: &Current, addresses: Vec<IpAddr>) {
    let changed = current.publish(addresses);
    let before = current.enter(State::Fresh);
    let host = &*current.host;
    let addresses = &current.addresses().addresses;
    if matches!(before, State::Stale | State::Unresolved) {
        tracing::info!(host, ?addresses, "the name resolves again");
    } else if changed {
        // Some names have other addresses with every answer: that is no news.
        tracing::debug!(host, ?addresses, "the name has new addresses");
    }
}

/// A look-up failed. The last addresses are kept, unless they are to be given up.
fn reject(current: &Current, error: &LookupError, give_up: bool) {
    if give_up {
        current.publish(Vec::new());
    }
    let kept = current.addresses().addresses.len();
    let state = if kept == 0 { State::Unresolved } else { State::Stale };
    if current.enter(state) == state {
        return;
    }
    let host = &*current.host;
    let cause = error.source().map(ToString::to_string);
    let cause = cause.as_deref();
    if kept == 0 {
        tracing::warn!(
            host, %error, cause,
            "the name does not resolve: requests for it are answered 503 until it does"
        );
    } else {
        tracing::warn!(host, %error, cause, kept, "cannot resolve the name: its last addresses are kept");
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use hickory_resolver::net::NetError;
    use tokio::time::advance;

    use super::{Current, Denials, HOLD_DENIED, LookupError, State, accept, reject};

    const DENIED: LookupError = LookupError::NoAddresses;
    const SILENCE: LookupError = LookupError::Failed(NetError::Timeout);

    #[tokio::test(start_paused = true)]
    async fn only_a_long_unbroken_denial_is_believed() {
        let second = Duration::from_secs(1);
        let mut denials = Denials::default();
        assert!(!denials.give_up(&DENIED));
        advance(HOLD_DENIED - second).await;
        assert!(!denials.give_up(&DENIED));
        assert!(!denials.give_up(&SILENCE));
        advance(second).await;
        assert!(!denials.give_up(&DENIED));
        advance(HOLD_DENIED).await;
        assert!(denials.give_up(&DENIED));
    }

    #[test]
    fn addresses_are_kept_until_they_are_given_up() {
        let current = Current::new("db.test", None);
        accept(&current, vec![Ipv4Addr::LOCALHOST.into()]);
        reject(&current, &DENIED, false);
        assert_eq!(current.addresses().addresses.len(), 1);
        assert_eq!(current.enter(State::Stale), State::Stale);
        reject(&current, &DENIED, true);
        assert!(current.addresses().addresses.is_empty());
        assert_eq!(current.enter(State::Unresolved), State::Unresolved);
    }
}
