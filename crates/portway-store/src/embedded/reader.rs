//! Threads that read, each read from a snapshot of its own: the disk may be slow, and the threads
//! of the caller have other things to do.

use std::sync::{Arc, PoisonError};

use futures_channel::oneshot;
use redb::{ReadTransaction, ReadableDatabase};

use super::{Shared, database::guarded, error::Failure, queue::Taken, writer::Job};
use crate::error::Error;

/// One read: it knows whom it answers.
pub(super) type Read = Box<dyn FnOnce(&Shared) + Send>;

/// Reads until the queue is closed and empty.
pub(super) fn run(shared: &Arc<Shared>) {
    while let Taken::Items(reads) = shared.reads.take(None, |_| true) {
        reads.into_iter().for_each(|read| read(shared));
    }
}

/// A read that sends what `work` finds in a new snapshot to `reply`.
pub(super) fn read<T: Send + 'static>(
    reply: oneshot::Sender<Result<T, Error>>,
    work: impl Fn(ReadTransaction) -> Result<T, Failure> + Send + 'static,
) -> Read {
    Box::new(move |shared| {
        // Nobody waits for it any more.
        if reply.is_canceled() {
            return;
        }
        // The database may have been closed under the first try, after a failed write.
        let attempt = || guarded(|| work(begin(shared)?));
        let found = match attempt() {
            Err(failure) if failure.is_aftermath() => attempt(),
            other => other,
        };
        let found = found.map_err(|failure| {
            // A closed database is an old snapshot's, or is being opened by the writer already.
            if !matches!(failure, Failure::Database(redb::Error::DatabaseClosed)) {
                // Who closed the store has no use for it.
                let _ = shared.writes.push_now(Job::Mend);
            }
            failure.into_error(shared.place.file())
        });
        let _ = reply.send(found);
    })
}

fn begin(shared: &Shared) -> Result<ReadTransaction, Failure> {
    let database = shared.database.read().unwrap_or_else(PoisonError::into_inner);
    let database = database.as_ref().ok_or(redb::Error::DatabaseClosed)?;
    Ok(database.begin_read()?)
}
