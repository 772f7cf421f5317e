//! Who is being served.

use std::{collections::hash_map::Entry, sync::Arc};

use crate::keys::{Key, KeyMap, Sharded};

/// The number of requests under way, for each key that has any: the table is as large as the
/// gateway is busy.
#[derive(Debug)]
pub(super) struct Table(Sharded<KeyMap<u32>>);

/// A request under way. It counts until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    table: Arc<Table>,
    key: Key,
}

impl Table {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Sharded::new(usize::MAX, |_| KeyMap::default())))
    }

    /// Lets one more begin, unless `max` are under way.
    pub(super) fn enter(self: &Arc<Self>, key: Key, max: u32) -> Option<Permit> {
        let mut counts = self.0.lock(key);
        let count = counts.entry(key).or_insert(0);
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Permit { table: Arc::clone(self), key })
    }

    /// How many keys have requests under way.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.each().map(|counts| counts.len()).sum()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.table.0.lock(self.key);
        if let Entry::Occupied(mut count) = counts.entry(self.key) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}
