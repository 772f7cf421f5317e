//! The handle on a watched name, and what it stands for at the moment.

use std::{fmt, net::IpAddr, sync::Arc};

use arc_swap::{ArcSwap, Guard};
use tokio::{sync::watch, task::AbortHandle, time::Instant};

use super::resolver::Registry;

/// A name that is being watched. The watch ends when the last handle is dropped.
pub(crate) struct Name {
    current: Arc<Current>,
    watcher: AbortHandle,
    registry: Arc<Registry>,
}

/// The addresses a name stands for, sorted and without repetition. Empty until the first good
/// answer, and again when the name servers have said for a while that there are none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// All addresses of the name.
    pub(crate) addresses: Box<[IpAddr]>,
}

/// How the last look-up of a name went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The first look-up has not ended yet.
    Pending,
    /// The addresses are those of the last look-up.
    Fresh,
    /// The last look-up failed; the addresses are those of an earlier one.
    Stale,
    /// There are no addresses.
    Unresolved,
}

/// What the watcher writes and the handles read.
pub(super) struct Current {
    pub(super) host: Box<str>,
    answer: ArcSwap<Answer>,
    state: watch::Sender<State>,
}

impl Name {
    pub(super) fn new(
        current: Arc<Current>,
        watcher: AbortHandle,
        registry: Arc<Registry>,
    ) -> Self {
        Self { current, watcher, registry }
    }

    /// The name as it was asked for.
    pub(crate) fn host(&self) -> &str {
        &self.current.host
    }

    /// What the name stands for now. Wait-free; hold the guard for moments only.
    pub(crate) fn answer(&self) -> Guard<Arc<Answer>> {
        self.current.answer.load()
    }

    /// How the last look-up went.
    pub(crate) fn state(&self) -> State {
        *self.current.state.borrow()
    }

    /// Waits for addresses until the first look-up has ended, well or badly, but not longer than
    /// `deadline`. Says whether there are any.
    pub(crate) async fn ready(&self, deadline: Instant) -> bool {
        if !self.answer().addresses.is_empty() {
            return true;
        }
        let mut states = self.current.state.subscribe();
        let ended = states.wait_for(|state| *state != State::Pending);
        // Neither a deadline that passed nor a watcher that is gone changes what can be said.
        let _ = tokio::time::timeout_at(deadline, ended).await;
        !self.answer().addresses.is_empty()
    }

    /// Every change of state from now on, for those that wait for one.
    #[cfg(test)]
    pub(super) fn states(&self) -> watch::Receiver<State> {
        self.current.state.subscribe()
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.watcher.abort();
        self.registry.forget(&self.current.host);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Name")
            .field("host", &self.host())
            .field("state", &self.state())
            .field("addresses", &self.answer().addresses)
            .finish_non_exhaustive()
    }
}

impl Current {
    /// A name about which nothing is known but what an earlier resolver knew.
    pub(super) fn new(host: &str, earlier: Option<Arc<Answer>>) -> Self {
        Self {
            host: host.into(),
            answer: ArcSwap::new(earlier.unwrap_or_default()),
            state: watch::Sender::new(State::Pending),
        }
    }

    pub(super) fn addresses(&self) -> Arc<Answer> {
        self.answer.load_full()
    }

    /// Makes `addresses` the answer. Says whether that changed anything. There is one writer, the
    /// name's watcher, so that reading and storing need not be one step.
    pub(super) fn publish(&self, mut addresses: Vec<IpAddr>) -> bool {
        addresses.sort_unstable();
        addresses.dedup();
        if *self.answer.load().addresses == *addresses {
            return false;
        }
        self.answer.store(Arc::new(Answer { addresses: addresses.into() }));
        true
    }

    /// Sets the state and returns the one before.
    pub(super) fn enter(&self, state: State) -> State {
        self.state.send_replace(state)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::Current;

    fn ip(last: u8) -> IpAddr {
        Ipv4Addr::new(127, 0, 0, last).into()
    }

    #[test]
    fn the_order_of_an_answer_is_no_change() {
        let current = Current::new("a.test", None);
        assert!(current.publish(vec![ip(2), ip(1), ip(2)]));
        assert!(!current.publish(vec![ip(1), ip(2)]));
        assert!(current.publish(vec![ip(3)]));
        assert!(current.publish(vec![ip(2), ip(1)]));
        assert_eq!(*current.addresses().addresses, [ip(1), ip(2)]);
    }
}
