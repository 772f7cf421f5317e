//! A queue of two: what is newest of each kind.

use super::reading::Reading;

/// Readings that nobody has taken yet. A newer one replaces an older one; only a file that could
/// not be read waits behind a content that was good to read before.
#[derive(Debug, Default)]
pub(super) struct Latest {
    read: Option<Reading>,
    unreadable: Option<Reading>,
}

impl Latest {
    pub(super) fn push(&mut self, reading: Reading) {
        if reading.readable {
            *self = Self { read: Some(reading), unreadable: None };
        } else {
            self.unreadable = Some(reading);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.read.is_none() && self.unreadable.is_none()
    }

    pub(super) fn pop(&mut self) -> Option<Reading> {
        self.read.take().or_else(|| self.unreadable.take())
    }
}
