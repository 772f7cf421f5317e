//! A store that forgets everything with the process: for tests, and for gateways that are told
//! by an explicit word to keep nothing.
//!
//! It behaves as the durable ones do. With [`Limits::ETCD`] it refuses what etcd would.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt, future,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::stream;

use crate::{
    backup::{Archive, Replacement, Snapshot},
    entry::{Entry, List, Page, Revision},
    error::Error,
    key::{Key, Prefix},
    state::{self, Applied, Stamp, Table},
    store::{Answer, Location, Store},
    transaction::{Limits, Transaction},
    watch::{Feed, Kept, Watch},
};

/// How many revisions watchers may be behind, unless told otherwise.
const REVISIONS: usize = 1000;
/// How much of them is kept, unless told otherwise.
const BYTES: usize = 8 << 20;

/// A store in memory.
pub struct Memory {
    limits: Limits,
    entries: Mutex<Entries>,
    feed: Arc<Feed>,
}

type Entries = BTreeMap<Key, (Stamp, Bytes)>;

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Limits::LOCAL, REVISIONS)
    }

    /// An empty store that takes transactions within `limits` and lets watchers be `revisions`
    /// behind.
    #[must_use]
    pub fn with(limits: Limits, revisions: usize) -> Self {
        let feed = Feed::new(Kept { revisions, bytes: BYTES }, Revision::ZERO);
        Self { limits, entries: Mutex::default(), feed }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Nothing in here panics half way through a change.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit_now(&self, transaction: &Transaction) -> Result<Revision, Error> {
        transaction.check(&self.limits)?;
        let mut entries = self.entries();
        let last = self.feed.last();
        match state::apply(&mut *entries, last, transaction) {
            Ok(Applied::Refused(conflict)) => Err(Error::Conflict(conflict)),
            Ok(Applied::Unchanged) => Ok(last),
            Ok(Applied::Changed(commit)) => {
                let revision = commit.revision;
                // Under the lock, so that the feed hears of commits in their order.
                self.feed.tell(commit);
                Ok(revision)
            }
            Err(never) => match never {},
        }
    }

    fn replace_now(&self, replacement: &mut Replacement) -> Result<Revision, Error> {
        let (backed_up, read) = replacement.entries()?;
        let read: Vec<(Key, Bytes)> = read.collect::<Result<_, _>>()?;
        let mut entries = self.entries();
        let revision = self.feed.last().max(backed_up).next();
        let stamp = Stamp::new(revision);
        *entries = read.into_iter().map(|(key, value)| (key, (stamp, value))).collect();
        self.feed.restart(revision);
        Ok(revision)
    }

    fn list_now(&self, list: &List) -> Page {
        let entries = self.entries();
        let revision = self.feed.last();
        let Some(range) = list.range() else {
            return Page { entries: vec![], more: false, revision };
        };
        let found = entries.range::<str, _>((
            range.0.as_ref().map(String::as_str),
            range.1.as_ref().map(String::as_str),
        ));
        let entry = |(key, (stamp, value)): (&Key, &(Stamp, Bytes))| {
            Ok::<_, Infallible>(stamp.entry(key.clone(), value.clone()))
        };
        let Ok((entries, more)) = match list.backwards {
            true => list.take(found.rev().map(entry)),
            false => list.take(found.map(entry)),
        };
        Page { entries, more, revision }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for Memory {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn location(&self) -> Answer<'_, Location> {
        now(Ok(Location::Memory))
    }

    fn revision(&self) -> Answer<'_, Revision> {
        now(Ok(self.feed.last()))
    }

    fn get(&self, key: &Key) -> Answer<'_, Option<Entry>> {
        let entries = self.entries();
        let found = entries.get(key).map(|(stamp, value)| stamp.entry(key.clone(), value.clone()));
        now(Ok(found))
    }

    fn list(&self, list: List) -> Answer<'_, Page> {
        now(Ok(self.list_now(&list)))
    }

    fn commit(&self, transaction: Transaction) -> Answer<'_, Revision> {
        now(self.commit_now(&transaction))
    }

    fn watch(&self, prefix: &Prefix, from: Revision) -> Answer<'_, Watch> {
        now(self.feed.watch(prefix, from))
    }
}

impl Archive for Memory {
    fn snapshot(&self) -> Answer<'_, Snapshot> {
        let Page { entries, revision, .. } = self.list_now(&List::of(&Prefix::all()));
        let entries = Box::pin(stream::iter([Ok(entries)]));
        now(Ok(Snapshot { revision, entries }))
    }

    fn replace(&self, mut replacement: Replacement) -> Answer<'_, Revision> {
        now(self.replace_now(&mut replacement))
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("revision", &self.feed.last()).finish_non_exhaustive()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.feed.close();
    }
}

fn now<'a, T: Send + 'a>(result: Result<T, Error>) -> Answer<'a, T> {
    Box::pin(future::ready(result))
}

impl Table for Entries {
    type Error = Infallible;

    fn stamp(&self, key: &Key) -> Result<Option<Stamp>, Infallible> {
        Ok(self.get(key).map(|(stamp, _)| *stamp))
    }

    fn keys(&self, prefix: &Prefix) -> Result<Vec<Key>, Infallible> {
        let end = prefix.end();
        let range = (Bound::Included(prefix.as_str()), Bound::Excluded(end.as_str()));
        Ok(self.range::<str, _>(range).map(|(key, _)| key.clone()).collect())
    }

    fn put(&mut self, key: &Key, stamp: Stamp, value: &Bytes) -> Result<(), Infallible> {
        self.insert(key.clone(), (stamp, value.clone()));
        Ok(())
    }

    fn remove(&mut self, key: &Key) -> Result<bool, Infallible> {
        Ok(BTreeMap::remove(self, key).is_some())
    }
}
