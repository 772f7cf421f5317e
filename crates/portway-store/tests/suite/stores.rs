//! The stores that the suite runs over.

use std::sync::Arc;

use portway_store::{Key, Limits, Memory, Prefix, Store};

/// How many revisions the stores of the suite keep for watchers.
pub(crate) const KEPT: usize = 8;

/// A store, and what has to live as long as it does.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn Store>,
}

pub(crate) fn memory() -> Subject {
    Subject { store: Arc::new(Memory::with(Limits::LOCAL, KEPT)) }
}

pub(crate) fn key(path: &str) -> Key {
    Key::new(path).unwrap()
}

pub(crate) fn prefix(path: &str) -> Prefix {
    Prefix::new(path).unwrap()
}
