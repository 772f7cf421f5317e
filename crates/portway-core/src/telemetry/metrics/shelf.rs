//! Where a core finds the cells of a name, and where a scrape finds all of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long the cells of a name that left the configuration are kept. Prometheus looks back five
/// minutes for a series' last value, and scrapes at least every two: ten give every scraper the
/// last value, also one that missed a scrape. A name that comes back in that time counts on.
const KEPT: Duration = Duration::from_secs(600);

/// One core's cells of one kind, by the names they are labelled with.
#[derive(Debug)]
pub(super) struct Shelf<const N: usize, C>(Mutex<HashMap<[Box<str>; N], Entry<C>>>);

#[derive(Debug)]
struct Entry<C> {
    cells: Arc<C>,
    /// Since when the configuration has not had the name.
    left: Option<Instant>,
}

impl<const N: usize, C> Default for Shelf<N, C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<const N: usize, C: Default> Shelf<N, C> {
    /// The cells of these names, made now if there are none yet. The lock is this core's own;
    /// whoever asks keeps what it gets.
    pub(super) fn get(&self, names: [&str; N]) -> Arc<C> {
        let mut entries = self.lock();
        let entry = entries
            .entry(names.map(Into::into))
            .or_insert_with(|| Entry { cells: Arc::default(), left: None });
        Arc::clone(&entry.cells)
    }

    /// Takes down who left the configuration and who came back.
    pub(super) fn mark(&self, now: Instant, is_named: impl Fn([&str; N]) -> bool) {
        for (names, entry) in self.lock().iter_mut() {
            if is_named(names.each_ref().map(AsRef::as_ref)) {
                entry.left = None;
            } else {
                entry.left.get_or_insert(now);
            }
        }
    }

    /// Drops the cells of names that left long ago and that nobody holds any more: a stream that
    /// outlives its route still counts when it ends.
    pub(super) fn sweep(&self, now: Instant) {
        self.lock().retain(|_, entry| {
            let kept = entry.left.is_none_or(|left| now.saturating_duration_since(left) < KEPT);
            kept || Arc::strong_count(&entry.cells) > 1
        });
    }

    /// Every name with its cells. The lock is held for the copy alone, not while the scrape writes.
    pub(super) fn all(&self) -> Vec<([Box<str>; N], Arc<C>)> {
        let entries = self.lock();
        entries.iter().map(|(names, entry)| (names.clone(), Arc::clone(&entry.cells))).collect()
    }

    /// A panic elsewhere leaves the map whole: every change is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<[Box<str>; N], Entry<C>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;

    fn names(shelf: &Shelf<1, AtomicU64>) -> Vec<String> {
        let mut names: Vec<_> =
            shelf.all().into_iter().map(|([name], _)| String::from(name)).collect();
        names.sort();
        names
    }

    #[test]
    fn cells_outlive_their_name_for_a_while() {
        let shelf = Shelf::<1, AtomicU64>::default();
        let start = Instant::now();
        for name in ["stays", "leaves", "returns", "held"] {
            shelf.get([name]).fetch_add(1, Relaxed);
        }
        let held = shelf.get(["held"]);
        shelf.mark(start, |[name]| name == "stays");
        shelf.mark(start + KEPT / 2, |[name]| name == "stays" || name == "returns");
        shelf.sweep(start + KEPT.saturating_sub(Duration::from_secs(1)));
        assert_eq!(names(&shelf), ["held", "leaves", "returns", "stays"]);
        shelf.sweep(start + KEPT);
        assert_eq!(names(&shelf), ["held", "returns", "stays"]);
        assert_eq!(shelf.get(["returns"]).load(Relaxed), 1, "it counts on");
        drop(held);
        shelf.sweep(start + KEPT);
        assert_eq!(names(&shelf), ["returns", "stays"]);
    }
}
