//! How many connections each core has, and who takes the next one.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use tokio::sync::{Notify, mpsc};

use crate::socket::StdStream;

/// The connections of one listener, by core. It is read and written when one is opened or closed,
/// never by a request.
#[derive(Debug)]
pub(crate) struct Crowd {
    cores: Box<[Place]>,
    /// Tells a listener at its limit that there may be room.
    room: Notify,
}

#[derive(Debug)]
#[repr(align(128))]
struct Place {
    open: AtomicU32,
    /// Takes connections that were accepted elsewhere.
    door: mpsc::UnboundedSender<Passed>,
}

/// A connection that was accepted on another core. It counts for this one already, so that many
/// that come at once do not all go the same way.
pub(crate) type Passed = (StdStream, Presence);

/// A connection that counts for its core until this is dropped.
#[derive(Debug)]
pub(crate) struct Presence {
    crowd: Arc<Crowd>,
    core: usize,
}

impl Crowd {
    /// A crowd over as many cores as there are doors; the receivers belong to the cores.
    pub(crate) fn new(cores: usize) -> (Arc<Self>, Vec<mpsc::UnboundedReceiver<Passed>>) {
        let (doors, receivers): (Vec<_>, Vec<_>) =
            (0..cores).map(|_| mpsc::unbounded_channel()).unzip();
        let cores = doors.into_iter().map(|door| Place { open: AtomicU32::new(0), door }).collect();
        (Arc::new(Self { cores, room: Notify::new() }), receivers)
    }

    /// The core that should serve a connection which `here` has accepted: `here`, unless it
    /// clearly has more than its share.
    pub(super) fn place_for(&self, here: usize) -> usize {
        let open = |core: usize| self.cores[core].open.load(Relaxed);
        let mine = open(here);
        let fewest = (0..self.cores.len()).min_by_key(|&core| open(core)).unwrap_or(here);
        // One more is noise; with many connections, an eighth is.
        let share = open(fewest);
        if mine > share + share / 8 { fewest } else { here }
    }

    /// Counts a connection for `core`.
    pub(crate) fn enter(self: &Arc<Self>, core: usize) -> Presence {
        self.cores[core].open.fetch_add(1, Relaxed);
        Presence { crowd: Arc::clone(self), core }
    }

    /// Hands a connection to another core. It comes back if that core takes no more.
    pub(super) fn pass(self: &Arc<Self>, core: usize, socket: StdStream) -> Result<(), StdStream> {
        let passed = (socket, self.enter(core));
        self.cores[core].door.send(passed).map_err(|refused| refused.0.0)
    }

    /// The connections that are open.
    pub(crate) fn open(&self) -> u32 {
        self.cores.iter().map(|place| place.open.load(Relaxed)).sum()
    }

    /// Waits until fewer are open than `limit` says at that moment.
    pub(super) async fn below(&self, limit: impl Fn() -> Option<u32>) {
        while limit().is_some() {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            if limit().is_none_or(|limit| self.open() < limit) {
                return;
            }
            room.await;
        }
    }

    /// The limit may be another one now.
    pub(crate) fn limit_changed(&self) {
        self.room.notify_waiters();
    }

    /// Waits until none is open.
    pub(crate) async fn empty(&self) {
        self.below(|| Some(1)).await;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.crowd.cores[self.core].open.fetch_sub(1, Relaxed);
        self.crowd.room.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lived_connections_are_spread_however_they_come_in() {
        let (crowd, _doors) = Crowd::new(2);
        // The kernel gave all of them to one core.
        let held: Vec<_> = (0..8).map(|_| crowd.enter(crowd.place_for(0))).collect();
        let on = |core| held.iter().filter(|presence| presence.core == core).count();
        assert_eq!((on(0), on(1)), (4, 4));
        drop(held);
        assert_eq!(crowd.open(), 0);
    }

    #[test]
    fn a_small_difference_is_left_alone() {
        let (crowd, _doors) = Crowd::new(2);
        let _many: Vec<_> = (0..80).map(|core| crowd.enter(core % 2)).collect();
        let _more: Vec<_> = (0..3).map(|_| crowd.enter(0)).collect();
        assert_eq!(crowd.place_for(0), 0);
    }
}
