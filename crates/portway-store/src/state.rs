//! What a transaction does to a table, for every store that keeps its table itself.

use bytes::Bytes;

use crate::{
    entry::{Entry, Revision},
    error::{Conflict, Mismatch},
    key::{Key, Prefix},
    transaction::{Operation, Transaction},
    watch::{Commit, Event},
};

/// When an entry was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) created: Revision,
    pub(crate) changed: Revision,
    pub(crate) version: u64,
}

impl Stamp {
    /// Of a key that is made by `revision`.
    pub(crate) fn new(revision: Revision) -> Self {
        Self { created: revision, changed: revision, version: 1 }
    }

    pub(crate) fn entry(self, key: Key, value: Bytes) -> Entry {
        let Self { created, changed, version } = self;
        Entry { key, value, created, changed, version }
    }
}

/// Entries by key, in the middle of a write.
pub(crate) trait Table {
    type Error;

    fn stamp(&self, key: &Key) -> Result<Option<Stamp>, Self::Error>;
    fn keys(&self, prefix: &Prefix) -> Result<Vec<Key>, Self::Error>;
    fn put(&mut self, key: &Key, stamp: Stamp, value: &Bytes) -> Result<(), Self::Error>;
    /// Whether it was there.
    fn remove(&mut self, key: &Key) -> Result<bool, Self::Error>;
}

/// What came of a transaction.
#[derive(Debug)]
pub(crate) enum Applied {
    /// It did not happen.
    Refused(Conflict),
    /// It happened, and left everything as it was.
    Unchanged,
    /// It made the next revision.
    Changed(Commit),
}

/// Applies a transaction that was [checked](Transaction::check) to a table of revision `last`.
///
/// When the table fails, some of it may have been done: the caller takes all of it back.
pub(crate) fn apply<T: Table>(
    table: &mut T,
    last: Revision,
    transaction: &Transaction,
) -> Result<Applied, T::Error> {
    let mut mismatches = Vec::new();
    for comparison in transaction.comparisons() {
        let found = table.stamp(&comparison.key)?.map(|stamp| stamp.changed);
        if !comparison.expect.meets(found) {
            let key = comparison.key.clone();
            mismatches.push(Mismatch { key, expected: comparison.expect, found });
        }
    }
    if !mismatches.is_empty() {
        return Ok(Applied::Refused(Conflict { mismatches, revision: last }));
    }
    let revision = last.next();
    let mut events = Vec::with_capacity(transaction.operations().len());
    for operation in transaction.operations() {
        match operation {
            Operation::Put { key, value } => {
                let stamp = match table.stamp(key)? {
                    Some(old) => Stamp { changed: revision, version: old.version + 1, ..old },
                    None => Stamp::new(revision),
                };
                table.put(key, stamp, value)?;
                events.push(Event::Put(stamp.entry(key.clone(), value.clone())));
            }
            Operation::Delete { key } => remove(table, key, &mut events)?,
            Operation::DeleteBelow { prefix } => {
                for key in table.keys(prefix)? {
                    remove(table, &key, &mut events)?;
                }
            }
        }
    }
    if events.is_empty() {
        return Ok(Applied::Unchanged);
    }
    events.sort_unstable_by(|a, b| a.key().cmp(b.key()));
    Ok(Applied::Changed(Commit { revision, events }))
}

fn remove<T: Table>(table: &mut T, key: &Key, events: &mut Vec<Event>) -> Result<(), T::Error> {
    if table.remove(key)? {
        events.push(Event::Deleted(key.clone()));
    }
    Ok(())
}
