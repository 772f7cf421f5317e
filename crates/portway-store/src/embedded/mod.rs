//! The store of a gateway on one machine: a database in one file of a data directory (redb).
//!
//! One thread writes, two read, and nothing blocks who asks. What was answered is on the disk; a
//! process that is killed at any instant leaves the last complete revision behind. A full disk
//! refuses writes and nothing else. Watchers are served from memory, from the time the store was
//! opened on.
//!
//! What it never does: share its file. A second process is told who works there.

mod database;
mod directory;
mod error;
mod queue;
mod reader;
mod tables;
mod writer;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    thread::{self, JoinHandle},
};

use futures_channel::oneshot;
use futures_util::{Stream, stream};
use redb::{Database, ReadTransaction};

use self::{
    database::Place,
    directory::Directory,
    error::Failure,
    queue::Queue,
    reader::Read,
    writer::{Job, ended},
};
use crate::{
    backup::{Archive, Replacement, Snapshot},
    entry::{Entry, List, Page, Revision},
    error::Error,
    key::{Key, Prefix},
    store::{Answer, Location, Store},
    transaction::{Limits, Transaction},
    watch::{Feed, Kept, Watch},
};

pub(crate) use directory::{private_file, sync};
pub use error::OpenError;

/// How many writes and how many reads may wait before who asks for more waits for room.
const QUEUE: usize = 1024;
const READERS: usize = 2;
/// How many entries of a snapshot are in memory at once.
const PAGE: usize = 256;

/// How an [`Embedded`] store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many revisions watchers may be behind. 1000 unless told otherwise.
    pub kept_revisions: usize,
    /// How many bytes of them are kept in memory; the last one whatever its size. 8 MiB.
    pub kept_bytes: usize,
    /// How many bytes of the file the database keeps in memory. 8 MiB; the system's page cache
    /// keeps more.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { kept_revisions: 1000, kept_bytes: 8 << 20, cache_bytes: 8 << 20 }
    }
}

/// A store in a directory. Dropped, it finishes what is queued and closes its file.
pub struct Embedded {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What callers and threads share.
struct Shared {
    place: Place,
    /// `None` while it cannot be opened after a failure. Only the writer puts anything in.
    database: RwLock<Option<Database>>,
    writes: Queue<Job>,
    reads: Queue<Read>,
    feed: Arc<Feed>,
}

impl Embedded {
    /// Opens the store in `directory`, which is made for this user alone if it is missing.
    ///
    /// Blocks until the file was checked: call it before there is traffic, or on a thread that
    /// may wait.
    ///
    /// # Errors
    ///
    /// When another process works there, the file is damaged, or the system refuses.
    pub fn open(directory: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let place = Place::new(Directory::claim(directory.as_ref())?, options.cache_bytes);
        let (database, revision) = place.open_or_make()?;
        let kept = Kept { revisions: options.kept_revisions, bytes: options.kept_bytes };
        let shared = Arc::new(Shared {
            place,
            database: RwLock::new(Some(database)),
            writes: Queue::new(QUEUE),
            reads: Queue::new(QUEUE),
            feed: Feed::new(kept, revision),
        });
        let mut store = Self { shared, threads: Vec::with_capacity(1 + READERS) };
        store.start("store-write", writer::run)?;
        for _ in 0..READERS {
            store.start("store-read", reader::run)?;
        }
        Ok(store)
    }

    /// The file that everything is in.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.shared.place.file().to_owned()
    }

    fn start(&mut self, name: &str, run: fn(&Arc<Shared>)) -> Result<(), OpenError> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared));
        let fault = |cause| OpenError::Directory { path: self.file(), cause };
        self.threads.push(thread.map_err(fault)?);
        Ok(())
    }

    async fn write(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<Revision, Error>>) -> Job,
    ) -> Result<Revision, Error> {
        let (reply, answer) = oneshot::channel();
        self.shared.writes.push(job(reply)).await.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

impl Store for Embedded {
    fn limits(&self) -> Limits {
        Limits::LOCAL
    }

    fn location(&self) -> Answer<'_, Location> {
        let path = self.file();
        Box::pin(self.shared.find(move |_| {
            let bytes = fs::metadata(&path).map_or(0, |file| file.len());
            Ok(Location::File { path: path.clone(), bytes })
        }))
    }

    fn revision(&self) -> Answer<'_, Revision> {
        Box::pin(std::future::ready(Ok(self.shared.feed.last())))
    }

    fn get(&self, key: &Key) -> Answer<'_, Option<Entry>> {
        let key = key.clone();
        Box::pin(self.shared.find(move |read| tables::get(&read, &key)))
    }

    fn list(&self, list: List) -> Answer<'_, Page> {
        Box::pin(self.shared.find(move |read| tables::list(&read, &list)))
    }

    fn commit(&self, transaction: Transaction) -> Answer<'_, Revision> {
        Box::pin(async move {
            transaction.check(&Limits::LOCAL)?;
            self.write(|reply| Job::Commit { transaction, reply }).await
        })
    }

    fn watch(&self, prefix: &Prefix, from: Revision) -> Answer<'_, Watch> {
        Box::pin(std::future::ready(self.shared.feed.watch(prefix, from)))
    }
}

impl Archive for Embedded {
    fn snapshot(&self) -> Answer<'_, Snapshot> {
        Box::pin(async move {
            // The transaction is handed from page to page; its snapshot lives as long as it does.
            let (read, revision) = self
                .shared
                .find(|read| {
                    let (_, revision) = tables::facts(&read)?;
                    Ok((Arc::new(read), revision))
                })
                .await?;
            let shared = Arc::clone(&self.shared);
            Ok(Snapshot { revision, entries: Box::pin(pages(shared, read)) })
        })
    }

    fn replace(&self, replacement: Replacement) -> Answer<'_, Revision> {
        Box::pin(self.write(|reply| Job::Replace { replacement, reply }))
    }
}

/// The entries of a snapshot, a page at a time, read by the threads that read.
fn pages(
    shared: Arc<Shared>,
    read: Arc<ReadTransaction>,
) -> impl Stream<Item = Result<Vec<Entry>, Error>> + Send {
    stream::try_unfold(Some(List::of(&Prefix::all()).limit(PAGE)), move |list| {
        let (shared, read) = (Arc::clone(&shared), Arc::clone(&read));
        async move {
            let Some(list) = list else { return Ok(None) };
            let from = list.clone();
            let page = shared.find(move |_| tables::list(&read, &from)).await?;
            let next = page.entries.last().filter(|_| page.more).map(|last| list.after(&last.key));
            Ok(Some((page.entries, next)))
        }
    })
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.shared.reads.close();
        self.shared.writes.close();
        for thread in self.threads.drain(..) {
            // Its panic was told when it happened.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("file", &self.shared.place.file())
            .field("revision", &self.shared.feed.last())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// What `work` finds in a snapshot, found by one of the threads that read.
    async fn find<T: Send + 'static>(
        &self,
        work: impl Fn(ReadTransaction) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.reads.push(reader::read(reply, work)).await.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    fn is_open(&self) -> bool {
        self.database.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Closes the database and opens it again. When it has a revision that nobody was told of,
    /// watchers have to list anew.
    fn reopen(&self) -> Result<(), OpenError> {
        let mut slot = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // Dropping it closes it, whatever still reads from it.
        drop(slot.take());
        let (database, revision) = self.place.open()?;
        *slot = Some(database);
        if revision != self.feed.last() {
            self.feed.restart(revision);
        }
        Ok(())
    }
}
