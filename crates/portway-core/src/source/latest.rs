//! A queue of two: what is newest of each kind.

use super::{
    file::Event,
    reading::{ReadError, Reading},
};

/// Events that nobody has taken yet. A newer content replaces an older one and any failure
/// before it; a failure waits behind the content, which was good when it was read.
#[derive(Debug, Default)]
pub(super) struct Latest {
    changed: Option<Reading>,
    failed: Option<ReadError>,
}

impl Latest {
    pub(super) fn push(&mut self, event: Event) {
        match event {
            Event::Changed(reading) => {
                self.changed = Some(reading);
                self.failed = None;
            }
            Event::Failed(error) => self.failed = Some(error),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_none() && self.failed.is_none()
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let changed = self.changed.take().map(Event::Changed);
        changed.or_else(|| self.failed.take().map(Event::Failed))
    }
}
