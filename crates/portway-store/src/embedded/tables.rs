//! How entries lie in the database, and how they are read and written there.

use std::ops::Bound;

use bytes::Bytes;
use redb::{
    AccessGuard, ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, TableError,
    WriteTransaction,
};

use super::error::Failure;
use crate::{
    entry::{Entry, List, Page, Revision},
    key::{Key, Prefix},
    state::{Stamp, Table},
};

/// Created, changed, version, value.
type Stored<'a> = (u64, u64, u64, &'a [u8]);

const ENTRIES: TableDefinition<'_, &str, Stored<'_>> = TableDefinition::new("entries");
const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");
const FORMAT: &str = "format";
const REVISION: &str = "revision";

/// The last format that is understood, and the one that is written.
pub(super) const KNOWN_FORMAT: u64 = 1;

/// Makes the tables of an empty store.
pub(super) fn found(write: &WriteTransaction) -> Result<(), Failure> {
    write.open_table(ENTRIES)?;
    let mut facts = write.open_table(FACTS)?;
    facts.insert(FORMAT, KNOWN_FORMAT)?;
    facts.insert(REVISION, 0)?;
    Ok(())
}

/// The format and the last revision of the store.
pub(super) fn facts(read: &ReadTransaction) -> Result<(u64, Revision), Failure> {
    let facts = read.open_table(FACTS)?;
    let fact = |name: &'static str| -> Result<u64, Failure> {
        let missing = || Failure::from(TableError::TableDoesNotExist(format!("facts: {name}")));
        Ok(facts.get(name)?.ok_or_else(missing)?.value())
    };
    Ok((fact(FORMAT)?, Revision(fact(REVISION)?)))
}

/// Entries and facts in the middle of a write.
pub(super) struct Writing<'a> {
    entries: redb::Table<'a, &'static str, Stored<'static>>,
    facts: redb::Table<'a, &'static str, u64>,
}

impl<'a> Writing<'a> {
    pub(super) fn new(write: &'a WriteTransaction) -> Result<Self, Failure> {
        Ok(Self { entries: write.open_table(ENTRIES)?, facts: write.open_table(FACTS)? })
    }

    pub(super) fn set_revision(&mut self, revision: Revision) -> Result<(), Failure> {
        self.facts.insert(REVISION, revision.0)?;
        Ok(())
    }

    pub(super) fn clear(&mut self) -> Result<(), Failure> {
        self.entries.retain(|_, _| false)?;
        Ok(())
    }
}

impl Table for Writing<'_> {
    type Error = Failure;

    fn stamp(&self, key: &Key) -> Result<Option<Stamp>, Failure> {
        Ok(self.entries.get(key.as_str())?.map(|stored| unpack(&stored).0))
    }

    fn keys(&self, prefix: &Prefix) -> Result<Vec<Key>, Failure> {
        let end = prefix.end();
        let found = self.entries.range(prefix.as_str()..end.as_str())?;
        found.map(|entry| key(&entry?.0)).collect()
    }

    fn put(&mut self, key: &Key, stamp: Stamp, value: &Bytes) -> Result<(), Failure> {
        let Stamp { created, changed, version } = stamp;
        self.entries.insert(key.as_str(), (created.0, changed.0, version, &value[..]))?;
        Ok(())
    }

    fn remove(&mut self, key: &Key) -> Result<bool, Failure> {
        Ok(self.entries.remove(key.as_str())?.is_some())
    }
}

/// The entry of `key` in a snapshot.
pub(super) fn get(read: &ReadTransaction, key: &Key) -> Result<Option<Entry>, Failure> {
    let stored = read.open_table(ENTRIES)?.get(key.as_str())?;
    Ok(stored.map(|stored| entry(key.clone(), &stored)))
}

/// A page of a snapshot.
pub(super) fn list(read: &ReadTransaction, list: &List) -> Result<Page, Failure> {
    let (_, revision) = facts(read)?;
    let Some((low, high)) = list.range() else {
        return Ok(Page { entries: Vec::new(), more: false, revision });
    };
    let table: ReadOnlyTable<_, _> = read.open_table(ENTRIES)?;
    let bounds = (bound(&low), bound(&high));
    let found = table.range::<&str>(bounds)?;
    let (entries, more) = match list.backwards {
        true => list.take(found.rev().map(read_entry))?,
        false => list.take(found.map(read_entry))?,
    };
    Ok(Page { entries, more, revision })
}

type Found = Result<
    (AccessGuard<'static, &'static str>, AccessGuard<'static, Stored<'static>>),
    redb::StorageError,
>;

fn read_entry(found: Found) -> Result<Entry, Failure> {
    let (path, stored) = found?;
    Ok(entry(key(&path)?, &stored))
}

fn bound(bound: &Bound<String>) -> Bound<&str> {
    bound.as_ref().map(String::as_str)
}

/// Only keys are written, so what is none was not written by a store.
fn key(path: &AccessGuard<'_, &'static str>) -> Result<Key, Failure> {
    let damage = |error: crate::InvalidKey| redb::Error::Corrupted(error.to_string());
    Ok(Key::new(path.value()).map_err(damage)?)
}

fn entry(key: Key, stored: &AccessGuard<'_, Stored<'static>>) -> Entry {
    let (stamp, value) = unpack(stored);
    stamp.entry(key, Bytes::copy_from_slice(value))
}

fn unpack<'a>(stored: &'a AccessGuard<'_, Stored<'static>>) -> (Stamp, &'a [u8]) {
    let (created, changed, version, value) = stored.value();
    let (created, changed) = (Revision(created), Revision(changed));
    (Stamp { created, changed, version }, value)
}
