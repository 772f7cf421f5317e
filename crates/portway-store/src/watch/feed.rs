//! Commits of a store in this process on their way to its watchers.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use futures_util::Stream;

use super::{Commit, Watch};
use crate::{
    entry::Revision,
    error::{Cause, Error},
    key::Prefix,
};

/// How much of the past is kept for watchers that are behind or come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// So many revisions.
    pub(crate) revisions: usize,
    /// Keys and values of so many bytes, and the last commit whatever its size.
    pub(crate) bytes: usize,
}

/// The last commits, and who waits for the next one.
#[derive(Debug)]
pub(crate) struct Feed {
    kept: Kept,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Every revision from `oldest` to `last`, without a gap.
    commits: VecDeque<Arc<Commit>>,
    bytes: usize,
    oldest: Revision,
    last: Revision,
    waiting: HashMap<u64, Waker>,
    watches: u64,
    closed: bool,
}

impl Feed {
    /// A feed of what comes after `last`.
    pub(crate) fn new(kept: Kept, last: Revision) -> Arc<Self> {
        let state = State { oldest: last.next(), last, ..State::default() };
        Arc::new(Self { kept, state: Mutex::new(state) })
    }

    /// The last revision that was told.
    pub(crate) fn last(&self) -> Revision {
        self.state().last
    }

    /// Tells `commit`, which comes right after the last one.
    pub(crate) fn tell(&self, commit: Commit) {
        let mut state = self.state();
        debug_assert_eq!(commit.revision, state.last.next(), "revisions have no gaps");
        state.last = commit.revision;
        state.bytes += size(&commit);
        state.commits.push_back(Arc::new(commit));
        while state.commits.len() > 1
            && (state.commits.len() > self.kept.revisions || state.bytes > self.kept.bytes)
        {
            state.forget_one();
        }
        state.wake();
    }

    /// Everything is different from `last` on: nothing before can be watched.
    pub(crate) fn restart(&self, last: Revision) {
        let mut state = self.state();
        state.commits.clear();
        state.bytes = 0;
        state.last = last;
        state.oldest = last.next();
        state.wake();
    }

    /// Ends every watch.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.wake();
    }

    /// A watch of what happens below `prefix` from `from` on.
    pub(crate) fn watch(self: &Arc<Self>, prefix: &Prefix, from: Revision) -> Result<Watch, Error> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Unavailable(Cause::from("it is closed")));
        }
        if from < state.oldest {
            return Err(Error::Compacted { asked: from, oldest: state.oldest });
        }
        state.watches += 1;
        let commits = Commits {
            feed: Arc::clone(self),
            id: state.watches,
            prefix: prefix.clone(),
            next: from,
            ended: false,
        };
        Ok(Watch::new(from, commits))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_one(&mut self) {
        if let Some(commit) = self.commits.pop_front() {
            self.bytes -= size(&commit);
            self.oldest = commit.revision.next();
        }
    }

    fn wake(&mut self) {
        mem::take(&mut self.waiting).into_values().for_each(Waker::wake);
    }

    /// What came after `next` and was kept.
    fn from(&self, next: Revision) -> impl Iterator<Item = &Arc<Commit>> {
        let skip = usize::try_from(next.0.saturating_sub(self.oldest.0)).unwrap_or(usize::MAX);
        self.commits.iter().skip(skip)
    }
}

fn size(commit: &Commit) -> usize {
    commit.events.iter().map(super::Event::size).sum()
}

/// The stream behind a [`Watch`].
struct Commits {
    feed: Arc<Feed>,
    id: u64,
    prefix: Prefix,
    next: Revision,
    ended: bool,
}

impl Stream for Commits {
    type Item = Result<Commit, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let feed = Arc::clone(&this.feed);
        let mut state = feed.state();
        if this.next < state.oldest {
            this.ended = true;
            let error = Error::Compacted { asked: this.next, oldest: state.oldest };
            return Poll::Ready(Some(Err(error)));
        }
        let found = state.from(this.next).find_map(|commit| commit.below(&this.prefix));
        if let Some(commit) = found {
            this.next = commit.revision.next();
            return Poll::Ready(Some(Ok(commit)));
        }
        // What lies below other prefixes has been seen: it may be forgotten.
        this.next = this.next.max(state.last.next());
        if state.closed {
            this.ended = true;
            return Poll::Ready(None);
        }
        state.waiting.insert(this.id, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Commits {
    fn drop(&mut self) {
        self.feed.state().waiting.remove(&self.id);
    }
}
