//! The interface of all stores.

use std::{future::Future, path::PathBuf, pin::Pin};

use crate::{
    entry::{Entry, List, Page, Revision},
    error::Error,
    key::{Key, Prefix},
    transaction::{Limits, Transaction},
    watch::Watch,
};

/// What a store answers, in a while. Dropped before its end, a read is given up; a commit that was
/// queued happens all the same.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Where a store keeps what it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In memory: it ends with the process.
    Memory,
    /// In one file, of so many bytes.
    File {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
}

/// Keys, values, revisions and watches, on this machine or on others.
///
/// - A commit is atomic and durable when it was answered; it makes one revision, one above the one
///   before, and every reader and watcher that asks afterwards sees it.
/// - A read sees one revision, whole. On one machine it is the last one; what a cluster answers is
///   linearizable too.
/// - A watch shows every revision from a given one on, in order, each whole and once, or says that
///   it cannot.
///
/// No method blocks the thread that calls it, and none needs a runtime.
pub trait Store: Send + Sync + 'static {
    /// What one transaction may hold. What is larger is written in pieces: see
    /// `docs/decisions/0007-store.md`.
    fn limits(&self) -> Limits;

    /// Where it keeps what it is given, for who looks after it.
    fn location(&self) -> Answer<'_, Location>;

    /// The last revision.
    fn revision(&self) -> Answer<'_, Revision>;

    /// The entry of `key`, when it exists.
    fn get(&self, key: &Key) -> Answer<'_, Option<Entry>>;

    /// Entries below a prefix, of one revision.
    fn list(&self, list: List) -> Answer<'_, Page>;

    /// Writes all of a transaction, or nothing.
    ///
    /// Answers the revision it made. A transaction that changes nothing (only comparisons, or
    /// deletes of what does not exist) makes none: the answer is the revision it looked at.
    fn commit(&self, transaction: Transaction) -> Answer<'_, Revision>;

    /// Every commit from revision `from` on that touches a key below `prefix`; `from` may lie in
    /// the future.
    ///
    /// # Errors
    ///
    /// [`Error::Compacted`] when it lies too far back, here or as the watch's last item.
    fn watch(&self, prefix: &Prefix, from: Revision) -> Answer<'_, Watch>;
}
