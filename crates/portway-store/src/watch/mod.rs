//! What watchers are shown: [`Commit`]s, in order, each whole and once.
//!
//! [`feed`] is how the stores of this process tell their watchers; a store on other machines makes
//! its [`Watch`] of its own stream.

mod feed;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt};

use crate::{
    entry::{Entry, Revision},
    error::Error,
    key::{Key, Prefix},
};

pub(crate) use feed::{Feed, Kept};

/// What one revision changed below the prefix of a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The revision.
    pub revision: Revision,
    /// What happened to each key, by key. A store may send a commit without events: it says that
    /// nothing happened up to its revision, and moves the point from which a watch can be resumed.
    pub events: Vec<Event>,
}

impl Commit {
    /// Only what lies below `prefix`; values are shared.
    fn below(&self, prefix: &Prefix) -> Option<Self> {
        let events: Vec<Event> =
            self.events.iter().filter(|event| prefix.holds(event.key())).cloned().collect();
        (!events.is_empty()).then_some(Self { revision: self.revision, events })
    }
}

/// What happened to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was written: this is what it holds now.
    Put(Entry),
    /// It was deleted.
    Deleted(Key),
}

impl Event {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Deleted(key) => key,
        }
    }

    /// Bytes of keys and values.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Put(entry) => entry.key.as_str().len() + entry.value.len(),
            Self::Deleted(key) => key.as_str().len(),
        }
    }
}

/// A stream of commits. It ends after an error, and when the store is closed.
pub struct Watch {
    commits: Pin<Box<dyn Stream<Item = Result<Commit, Error>> + Send>>,
    from: Revision,
}

impl Watch {
    /// A watch that began at `from`, over a store's own stream.
    pub fn new(
        from: Revision,
        commits: impl Stream<Item = Result<Commit, Error>> + Send + 'static,
    ) -> Self {
        Self { commits: Box::pin(commits), from }
    }

    /// The next commit; `None` when the store is closed. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Result<Commit, Error>> {
        StreamExt::next(self).await
    }

    /// Where to watch from to go on after the last commit it gave.
    #[must_use]
    pub fn resume(&self) -> Revision {
        self.from
    }
}

impl Stream for Watch {
    type Item = Result<Commit, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.commits.as_mut().poll_next(context));
        if let Some(Ok(commit)) = &next {
            self.from = commit.revision.next();
        }
        Poll::Ready(next)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("from", &self.from).finish_non_exhaustive()
    }
}
