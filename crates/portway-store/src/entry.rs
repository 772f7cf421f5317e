//! What a store holds, and how it is read.

use std::{fmt, ops::Bound};

use bytes::Bytes;

use crate::key::{Key, Prefix};

/// The number of a state of the store. It rises by one with every commit that changes something,
/// and never falls, not even when a backup is restored. An empty store has revision 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// The state of a store that was never written to.
    pub const ZERO: Self = Self(0);

    /// The one after it: where to watch from after having read a state.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key with its value. What it holds is not shown when it is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub key: Key,
    /// What it holds. A copy shares it.
    pub value: Bytes,
    /// The revision that made it; a key that was deleted and put anew was made anew.
    pub created: Revision,
    /// The revision that wrote it last, also with the same value.
    pub changed: Revision,
    /// How often it was written since it was made, from 1.
    pub version: u64,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, created, changed, version } = self;
        let bytes = value.len();
        write!(f, "{key} ({bytes} bytes, created {created}, changed {changed}, version {version})")
    }
}

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub(crate) prefix: Prefix,
    pub(crate) after: Option<Key>,
    pub(crate) limit: usize,
    pub(crate) bytes: usize,
    pub(crate) backwards: bool,
}

impl List {
    /// Everything below `prefix`, by key.
    #[must_use]
    pub fn of(prefix: &Prefix) -> Self {
        let (after, limit, bytes) = (None, usize::MAX, usize::MAX);
        Self { prefix: prefix.clone(), after, limit, bytes, backwards: false }
    }

    /// Only what comes after `key` in the order of the list. The key need not exist.
    #[must_use]
    pub fn after(mut self, key: &Key) -> Self {
        self.after = Some(key.clone());
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, entries: usize) -> Self {
        self.limit = entries;
        self
    }

    /// At most so many bytes of values, or one entry that has more.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// From the last key to the first.
    #[must_use]
    pub fn backwards(mut self) -> Self {
        self.backwards = true;
        self
    }

    /// As much of what was found as is wanted, and whether that is not all.
    pub(crate) fn take<E>(
        &self,
        found: impl Iterator<Item = Result<Entry, E>>,
    ) -> Result<(Vec<Entry>, bool), E> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for entry in found {
            let entry = entry?;
            bytes += entry.value.len();
            let is_too_much = bytes > self.bytes && !entries.is_empty();
            if is_too_much || entries.len() == self.limit {
                return Ok((entries, true));
            }
            entries.push(entry);
        }
        Ok((entries, false))
    }

    /// The keys to look at, from the first to the last; `None` when there can be none.
    pub(crate) fn range(&self) -> Option<(Bound<String>, Bound<String>)> {
        let first = self.prefix.as_str().to_owned();
        let end = self.prefix.end();
        // A key outside the prefix leaves all of it or nothing, whichever side it lies on.
        let after = self.after.as_ref().map(|key| key.as_str().to_owned());
        let (low, high) = match (after, self.backwards) {
            (Some(after), false) if after >= first => {
                (Bound::Excluded(after), Bound::Excluded(end))
            }
            (Some(after), true) if after <= end => (Bound::Included(first), Bound::Excluded(after)),
            _ => (Bound::Included(first), Bound::Excluded(end)),
        };
        // Maps panic at ranges that end before they begin.
        let (Bound::Included(from) | Bound::Excluded(from)) = &low else { return None };
        let (Bound::Included(to) | Bound::Excluded(to)) = &high else { return None };
        (from < to).then_some((low, high))
    }
}

/// What a list found: one state of the store, however many entries it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The entries, in the order that was asked for.
    pub entries: Vec<Entry>,
    /// Whether the limits left some out. The next page, [`List::after`] the last key, is of a state
    /// of its own: to put pages together, watch from the revision after the first page's.
    pub more: bool,
    /// The state of the store that was read. Watching from the one after it misses nothing.
    pub revision: Revision,
}
