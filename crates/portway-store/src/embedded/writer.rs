//! The one thread that writes.
//!
//! What is queued while it waits for the disk is written together: one durable commit of the
//! database for many transactions, each with an outcome of its own. A failed write closes the
//! database, which refuses everything after one, and opens it anew.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_channel::oneshot;
use redb::WriteTransaction;

use super::{
    Shared,
    database::guarded,
    error::{Failure, OpenError},
    queue::Taken,
    tables::Writing,
};
use crate::{
    backup::Replacement,
    entry::Revision,
    error::{Cause, Error},
    state::{self, Applied, Stamp, Table},
    transaction::Transaction,
};

/// How many transactions share one durable commit.
const GROUP: usize = 256;
/// How many bytes they carry together, if more than one.
const GROUP_BYTES: usize = 4 << 20;
/// How long between tries to open a database that could not be opened anew.
const REOPEN: Duration = Duration::from_secs(1);

/// Who waits for the outcome.
type Reply = oneshot::Sender<Result<Revision, Error>>;

/// What the thread is asked to do.
pub(super) enum Job {
    Commit {
        transaction: Transaction,
        reply: Reply,
    },
    Replace {
        replacement: Replacement,
        reply: Reply,
    },
    /// A read failed: open the database anew.
    Mend,
}

/// A failed attempt to write.
struct Failed {
    failure: Failure,
    /// Whether it failed at the very end, where it may have been written nevertheless.
    late: bool,
}

impl<T: Into<Failure>> From<T> for Failed {
    fn from(failure: T) -> Self {
        Self { failure: failure.into(), late: false }
    }
}

/// Writes until the queue is closed and empty, then closes the database.
pub(super) fn run(shared: &Arc<Shared>) {
    let _end = End(shared);
    loop {
        let patience = if shared.is_open() { None } else { Some(REOPEN) };
        let (mut count, mut bytes) = (0, 0);
        let enough = |job: &Job| {
            count += 1;
            bytes += match job {
                Job::Commit { transaction, .. } => transaction.size(),
                Job::Replace { .. } | Job::Mend => GROUP_BYTES,
            };
            count > GROUP || bytes > GROUP_BYTES
        };
        match shared.writes.take(patience, enough) {
            Taken::Closed => break,
            Taken::Nothing => drop(shared.reopen()),
            Taken::Items(jobs) => serve(shared, jobs),
        }
    }
}

/// The end of the thread, whatever ends it: nobody waits for a thread that is gone.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let Self(shared) = self;
        shared.writes.close();
        shared.writes.clear();
        // Dropping it closes it.
        drop(shared.database.write().unwrap_or_else(PoisonError::into_inner).take());
        shared.feed.close();
    }
}

fn serve(shared: &Shared, jobs: Vec<Job>) {
    let mut group = Vec::with_capacity(jobs.len());
    for job in jobs {
        match job {
            Job::Commit { transaction, reply } => group.push((transaction, reply)),
            Job::Replace { replacement, reply } => {
                commit(shared, std::mem::take(&mut group));
                // Who asked may have left: it happens all the same.
                let _ = reply.send(replace(shared, replacement));
            }
            Job::Mend => {
                commit(shared, std::mem::take(&mut group));
                drop(shared.reopen());
            }
        }
    }
    commit(shared, group);
}

fn commit(shared: &Shared, group: Vec<(Transaction, Reply)>) {
    if group.is_empty() {
        return;
    }
    let (transactions, replies): (Vec<_>, Vec<_>) = group.into_iter().unzip();
    let outcomes = match settle(shared, &transactions) {
        Ok(outcomes) => outcomes,
        // One that is too much for the disk spoils the others: each by itself.
        Err(_) if transactions.len() > 1 => {
            let alone = transactions.chunks(1).map(|one| {
                settle(shared, one).map_or_else(Err, |mut only| only.pop().unwrap_or(Err(ended())))
            });
            alone.collect()
        }
        Err(error) => vec![Err(error)],
    };
    for (reply, outcome) in replies.into_iter().zip(outcomes) {
        let _ = reply.send(outcome);
    }
}

pub(super) fn ended() -> Error {
    Error::Unavailable(Cause::from("it is closed"))
}

/// Writes a group and tells the watchers. An error means that nothing of it was written, unless
/// it is [`Error::Uncertain`].
fn settle(
    shared: &Shared,
    transactions: &[Transaction],
) -> Result<Vec<Result<Revision, Error>>, Error> {
    let applied = attempt(shared, |write| apply(shared.feed.last(), write, transactions))?;
    let mut last = shared.feed.last();
    let outcome = |applied| match applied {
        Applied::Refused(conflict) => Err(Error::Conflict(conflict)),
        Applied::Unchanged => Ok(last),
        Applied::Changed(commit) => {
            last = commit.revision;
            shared.feed.tell(commit);
            Ok(last)
        }
    };
    Ok(applied.into_iter().map(outcome).collect())
}

fn apply(
    mut last: Revision,
    write: &WriteTransaction,
    transactions: &[Transaction],
) -> Result<(Vec<Applied>, bool), Failure> {
    let first = last;
    let mut tables = Writing::new(write)?;
    let mut applied = Vec::with_capacity(transactions.len());
    for transaction in transactions {
        let outcome = state::apply(&mut tables, last, transaction)?;
        if let Applied::Changed(commit) = &outcome {
            last = commit.revision;
        }
        applied.push(outcome);
    }
    if last != first {
        tables.set_revision(last)?;
    }
    Ok((applied, last != first))
}

fn replace(shared: &Shared, mut replacement: Replacement) -> Result<Revision, Error> {
    let mut refused = None;
    let done = attempt(shared, |write| {
        let mut tables = Writing::new(write)?;
        tables.clear()?;
        let (backed_up, entries) = match replacement.entries() {
            Ok(read) => read,
            Err(error) => {
                refused = Some(error);
                return Ok((Revision::ZERO, false));
            }
        };
        let revision = shared.feed.last().max(backed_up).next();
        for entry in entries {
            match entry {
                Ok((key, value)) => tables.put(&key, Stamp::new(revision), &value)?,
                Err(error) => {
                    refused = Some(error);
                    return Ok((Revision::ZERO, false));
                }
            }
        }
        tables.set_revision(revision)?;
        Ok((revision, true))
    });
    if let Some(error) = refused {
        return Err(error);
    }
    let revision = done?;
    shared.feed.restart(revision);
    Ok(revision)
}

/// Does `work` in a write transaction of the database, which is committed when `work` says that
/// it changed something.
fn attempt<T>(
    shared: &Shared,
    mut work: impl FnMut(&WriteTransaction) -> Result<(T, bool), Failure>,
) -> Result<T, Error> {
    if !shared.is_open() {
        shared.reopen().map_err(|error| not_open(shared, error))?;
    }
    let failed = match once(shared, &mut work) {
        Ok(done) => return Ok(done),
        Err(failed) => failed,
    };
    let before = shared.feed.last();
    if let Err(error) = shared.reopen() {
        let cause = failed.failure;
        tracing::error!(%cause, %error, "the store cannot be opened again after a failed write");
        return Err(if failed.late {
            Error::Uncertain(cause.into())
        } else {
            cause.into_error(shared.place.file())
        });
    }
    if shared.feed.last() != before {
        // It can be read, but nobody can say that it would outlive a loss of power.
        return Err(Error::Uncertain(failed.failure.into()));
    }
    if failed.failure.is_aftermath() {
        // Not this write failed but something before it.
        return once(shared, &mut work)
            .map_err(|failed| failed.failure.into_error(shared.place.file()));
    }
    Err(failed.failure.into_error(shared.place.file()))
}

fn once<T>(
    shared: &Shared,
    work: &mut impl FnMut(&WriteTransaction) -> Result<(T, bool), Failure>,
) -> Result<T, Failed> {
    let database = shared.database.read().unwrap_or_else(PoisonError::into_inner);
    let Some(database) = &*database else {
        return Err(redb::Error::DatabaseClosed.into());
    };
    let (write, done) = guarded(|| {
        let mut write = database.begin_write()?;
        // Values come from outside: a torn commit must not pass for a whole one.
        write.set_two_phase_commit(true);
        let (done, changed) = work(&write)?;
        Ok((changed.then_some(write), done))
    })?;
    if let Some(write) = write {
        guarded(|| Ok(write.commit()?)).map_err(|failure| Failed { failure, late: true })?;
    }
    Ok(done)
}

fn not_open(shared: &Shared, error: OpenError) -> Error {
    let place = shared.place.file().to_owned();
    match error {
        OpenError::Full { cause, .. } => Error::Full { place, cause },
        OpenError::Corrupt { cause, .. } => Error::Corrupt { place, cause },
        other => Error::Unavailable(other.into()),
    }
}
