//! What a source of configuration says, and what becomes of it.

use std::{fmt, future::Future, sync::Arc};

use portway_plugin::Problem;

use crate::load::Loaded;

/// Who owns the resources of a source: `file:/etc/portway.yaml`. Each resource has one owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// An origin called `name`.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The owner of what stands in a file.
    #[must_use]
    pub fn file(path: &str) -> Self {
        Self::new(format!("file:{path}"))
    }

    /// The owner of what was written by the admin API.
    #[must_use]
    pub fn store() -> Self {
        Self::new("store")
    }

    /// The owner of what a program made.
    #[must_use]
    pub fn code() -> Self {
        Self::new("code")
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One state of a source, as a whole. A source that could not be read is a state too: it changes
/// nothing, and its problems are its outcome.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Whose it is.
    pub origin: Origin,
    /// Counts up with every state of the source.
    pub number: u64,
    /// What it says, or why that cannot be told.
    pub content: Result<Loaded, Vec<Problem>>,
}

/// What became of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is served.
    Applied {
        /// Which one.
        number: u64,
        /// What is worth saying about it all the same.
        warnings: Vec<Problem>,
    },
    /// What was served before is served on.
    Rejected {
        /// Which one.
        number: u64,
        /// All that is wrong with it.
        problems: Vec<Problem>,
    },
}

impl Outcome {
    /// Whether it is served.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied { .. })
    }
}

/// Where configuration comes from: a file that is watched, a table in a program, a store.
pub trait Source: Send {
    /// Whose resources it brings.
    fn origin(&self) -> &Origin;

    /// Its next state: the first one at once, each further one when it has changed. `None` when
    /// it will never change again.
    fn next(&mut self) -> impl Future<Output = Option<Revision>> + Send;

    /// Learns what became of a state.
    fn learn(&mut self, outcome: &Outcome);
}
