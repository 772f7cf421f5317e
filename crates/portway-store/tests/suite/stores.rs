//! The stores that the suite runs over.

use std::{path::Path, sync::Arc};

use portway_store::{Embedded, Key, Limits, Memory, Options, Prefix, backup::Archive};
use tempfile::TempDir;

/// How many revisions the stores of the suite keep for watchers.
pub(crate) const KEPT: usize = 8;

/// A store, and the directory that lives as long as it does.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn Archive>,
    pub(crate) _directory: Option<TempDir>,
}

pub(crate) fn memory() -> Subject {
    Subject { store: Arc::new(Memory::with(Limits::LOCAL, KEPT)), _directory: None }
}

pub(crate) fn embedded() -> Subject {
    let directory = tempfile::tempdir().unwrap();
    Subject { store: Arc::new(open(directory.path())), _directory: Some(directory) }
}

pub(crate) fn open(directory: &Path) -> Embedded {
    let options = Options { kept_revisions: KEPT, ..Options::default() };
    Embedded::open(directory, options).unwrap()
}

pub(crate) fn key(path: &str) -> Key {
    Key::new(path).unwrap()
}

pub(crate) fn prefix(path: &str) -> Prefix {
    Prefix::new(path).unwrap()
}
