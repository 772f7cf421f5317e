//! Backups: all entries of one revision in one stream, and a store made of them again.
//!
//! A backup begins with its version and ends with a checksum. Sealed values are in it as they lie
//! in the store, sealed; the keys that open them never are. A restore reads the whole backup
//! before it touches anything, and then happens at once: it is one commit, whose revision lies
//! above that of the store and that of the backup, and every watcher has to list anew.

mod format;
mod read;
mod write;

use std::{
    fmt,
    io::{self, Read, Seek},
};

use bytes::Bytes;
use futures_util::Stream;

use crate::{
    entry::{Entry, Revision},
    error::Error,
    key::Key,
    store::{Answer, Store},
};

pub use read::verify;
pub use write::backup;

/// A store that can be read and replaced as a whole.
pub trait Archive: Store {
    /// All entries of the last revision, by key. What is written meanwhile is not among them; the
    /// store keeps the space of what it replaces until the snapshot is dropped.
    fn snapshot(&self) -> Answer<'_, Snapshot>;

    /// Replaces everything by other entries, at once or not at all.
    fn replace(&self, replacement: Replacement) -> Answer<'_, Revision>;
}

/// Entries of one revision.
pub struct Snapshot {
    /// The revision.
    pub revision: Revision,
    /// Its entries, some at a time.
    pub entries: std::pin::Pin<Box<dyn Stream<Item = Result<Vec<Entry>, Error>> + Send>>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// What a backup says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manifest {
    /// The revision of the store that was backed up.
    pub revision: Revision,
    /// When the backup was begun, in seconds since 1970.
    pub made: u64,
    /// How many entries it has.
    pub entries: u64,
}

/// Where a backup is read from: a file, or bytes in a cursor. It is read twice.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// A backup on its way into a store.
pub struct Replacement {
    source: Box<dyn Source>,
}

/// What a replacement puts into the store.
type Put = Result<(Key, Bytes), Error>;

impl Replacement {
    /// The backup in `source`. Nothing is read yet.
    pub fn new(source: impl Source + 'static) -> Self {
        Self { source: Box::new(source) }
    }

    /// Reads the whole backup, then its entries once more. Blocks.
    pub(crate) fn entries(&mut self) -> Result<(Revision, impl Iterator<Item = Put> + '_), Error> {
        self.source.rewind().map_err(|error| unreadable(&error))?;
        let revision = verify(&mut self.source)?.revision;
        self.source.rewind().map_err(|error| unreadable(&error))?;
        Ok((revision, read::Entries::open(io::BufReader::new(&mut self.source))?))
    }
}

impl fmt::Debug for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacement").finish_non_exhaustive()
    }
}

fn unreadable(error: &io::Error) -> Error {
    Error::Invalid(format!("the backup cannot be read: {error}"))
}
