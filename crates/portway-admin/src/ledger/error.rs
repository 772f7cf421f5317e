//! Why a change was not made.

use std::fmt;

use portway_config::{Origin, Problem, ResourceId};
use portway_store as store;

/// Why the ledger did not do what it was asked. Nothing was written, unless it says otherwise.
#[derive(Debug)]
pub enum Error {
    /// There is no such resource.
    NotFound(ResourceId),
    /// Somebody else owns it.
    OwnedElsewhere(ResourceId, Origin),
    /// It is not as it was expected to be. The number of its last change, if it exists.
    Precondition(ResourceId, Option<u64>),
    /// Something refers to it, or the configuration would be wrong without it.
    InUse(ResourceId, Vec<Problem>),
    /// The configuration would be wrong.
    Wrong(Vec<Problem>),
    /// There is no change of this number any more, or yet.
    NoRevision(u64),
    /// Somebody else has written meanwhile.
    Conflict,
    /// Secrets that cannot be opened: their key is missing.
    Lost(Vec<String>),
    /// The keys of secrets are not the gateway's to change.
    KeyElsewhere,
    /// A key cannot be made or kept.
    Key(String),
    /// The store failed.
    Store(store::Error),
    /// What is in the store makes no sense.
    Unreadable(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(id) => write!(f, "there is no {}", id.told()),
            Self::OwnedElsewhere(id, owner) => {
                write!(f, "{} belongs to {owner}, where it is to be changed", id.told())
            }
            Self::Precondition(id, Some(found)) => {
                write!(f, "{} is not as expected: it was changed at revision {found}", id.told())
            }
            Self::Precondition(id, None) => {
                write!(f, "{} is not as expected: it does not exist", id.told())
            }
            Self::InUse(id, _) => write!(f, "{} is in use", id.told()),
            Self::Wrong(problems) => match problems.as_slice() {
                [one] => write!(f, "{one}"),
                many => write!(f, "{} problems", many.len()),
            },
            Self::NoRevision(number) => write!(f, "there is no revision {number} in the history"),
            Self::Conflict => f.write_str("somebody else has written meanwhile; try again"),
            Self::Lost(names) => {
                write!(f, "the key of these secrets is missing: {}", names.join(", "))
            }
            Self::KeyElsewhere => f.write_str(
                "the keys are given by PORTWAY_SECRETS_KEY: put a new one before the others there \
                 and start again, then write every secret anew, and take the old ones away",
            ),
            Self::Key(why) => write!(f, "the keys of secrets cannot be changed: {why}"),
            Self::Store(error) => error.fmt(f),
            Self::Unreadable(why) => write!(f, "the store holds something else: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict(_) => Self::Conflict,
            other => Self::Store(other),
        }
    }
}
