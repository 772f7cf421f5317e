//! The handle on a watched name, and what it stands for at the moment.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

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
    /// Rises with every change of the addresses; 0 before the first.
    pub(crate) generation: u64,
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
    /// The generation in `answer`, where a core can see with one load that nothing changed.
    generation: AtomicU64,
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

    /// The generation of the current answer: whoever has read the answer of this generation need
    /// not read it again.
    pub(crate) fn generation(&self) -> u64 {
        self.current.generation.load(Ordering::Acquire)
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
        let answer = earlier.unwrap_or_default();
        Self {
            host: host.into(),
            generation: AtomicU64::new(answer.generation),
            answer: ArcSwap::new(answer),
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
        let before = self.answer.load();
        if *before.addresses == *addresses {
            return false;
        }
        let generation = before.generation + 1;
        self.answer.store(Arc::new(Answer { addresses: addresses.into(), generation }));
        // After the answer, so that whoever sees the new generation reads an answer as new.
        self.generation.store(generation, Ordering::Release);
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
        assert_eq!(*current.addresses().addresses, [ip(1), ip(2)]);
        assert_eq!(current.addresses().generation, 1);
    }

    #[test]
    fn each_change_has_its_generation() {
        let current = Current::new("a.test", None);
        assert!(current.publish(vec![ip(1)]));
        assert!(current.publish(vec![ip(3)]));
        assert!(current.publish(vec![]));
        assert_eq!(current.addresses().generation, 3);
    }

    #[test]
    fn an_earlier_answer_goes_on_counting() {
        let first = Current::new("a.test", None);
        first.publish(vec![ip(1)]);
        let second = Current::new("a.test", Some(first.addresses()));
        assert!(!second.publish(vec![ip(1)]));
        assert!(second.publish(vec![ip(2)]));
        assert_eq!(second.addresses().generation, 2);
    }
}
