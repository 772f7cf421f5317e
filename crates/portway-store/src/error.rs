//! What can go wrong between a caller and a store.

use std::{fmt, path::PathBuf};

use crate::{
    entry::Revision,
    key::{InvalidKey, Key},
    transaction::Expect,
};

/// What lies under an error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a store did not do what it was asked.
///
/// Nothing was written, except perhaps with [`Error::Uncertain`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Some comparison of the transaction did not hold: somebody else was first.
    Conflict(Conflict),
    /// The transaction contradicts itself.
    Invalid(String),
    /// The transaction does not fit into this store; see [`crate::Limits`].
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        size: usize,
        /// How much is allowed.
        limit: usize,
    },
    /// The disk, or the space granted to the store, is full. Reading goes on, and so does writing
    /// as soon as there is space.
    Full {
        /// Where space is missing.
        place: PathBuf,
        /// What the system said.
        cause: Cause,
    },
    /// What is stored is damaged.
    Corrupt {
        /// Where.
        place: PathBuf,
        /// What is wrong with it.
        cause: Cause,
    },
    /// The store cannot be reached, or is closed.
    Unavailable(Cause),
    /// The transaction was sent and no answer came: it may have happened. Read before writing
    /// again.
    Uncertain(Cause),
    /// Events from this revision on are no longer kept, or the store was restored from a backup:
    /// list anew and watch from there.
    Compacted {
        /// What was asked for.
        asked: Revision,
        /// From where on one can watch.
        oldest: Revision,
    },
}

/// Comparisons that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// At least one.
    pub mismatches: Vec<Mismatch>,
    /// The state of the store in which they did not hold.
    pub revision: Revision,
}

/// A comparison that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The key.
    pub key: Key,
    /// How it was expected to be.
    pub expected: Expect,
    /// Which revision wrote it last, when it exists.
    pub found: Option<Revision>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::Invalid(reason) => f.write_str(reason),
            Self::TooLarge { what, size, limit } => {
                write!(f, "{size} {what}, where at most {limit} fit")
            }
            Self::Full { place, .. } => write!(
                f,
                "no space left for {}; nothing was written, free some space and try again",
                place.display()
            ),
            Self::Corrupt { place, .. } => {
                write!(f, "{} is damaged; move it away and restore a backup", place.display())
            }
            Self::Unavailable(_) => f.write_str("the store is not available"),
            Self::Uncertain(_) => {
                f.write_str("the store did not answer; the change may have been written")
            }
            Self::Compacted { asked, oldest } => write!(
                f,
                "changes from revision {asked} on are no longer kept, only from {oldest} on; \
                 list anew"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Full { cause, .. }
            | Self::Corrupt { cause, .. }
            | Self::Unavailable(cause)
            | Self::Uncertain(cause) => Some(&**cause),
            Self::Conflict(_)
            | Self::Invalid(_)
            | Self::TooLarge { .. }
            | Self::Compacted { .. } => None,
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mismatch) in self.mismatches.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{mismatch}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, expected, found } = self;
        match (expected, found) {
            (Expect::Absent, Some(found)) => write!(f, "{key} exists, written at revision {found}"),
            (Expect::ChangedAt(expected), Some(found)) => {
                write!(f, "{key} was changed at revision {found}, expected was {expected}")
            }
            (_, None) => write!(f, "{key} does not exist"),
            (Expect::Present, Some(_)) => write!(f, "{key} exists"),
        }
    }
}

impl From<InvalidKey> for Error {
    fn from(error: InvalidKey) -> Self {
        Self::Invalid(error.to_string())
    }
}
