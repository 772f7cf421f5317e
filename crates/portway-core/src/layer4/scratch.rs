//! Room for bytes that are on their way.

use std::sync::{Mutex, PoisonError};

/// The most bytes that are moved at once; no datagram is longer.
pub(super) const SIZE: usize = 64 * 1024;

/// One core's buffer, which its connections share: bytes are in it from a read to the write that
/// follows at once, never while anybody waits. So a connection that is quiet costs no buffer. The
/// lock is this core's own.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Mutex<Vec<u8>>);

impl Scratch {
    /// Lends the buffer, of [`SIZE`] bytes, whatever is in it.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut [u8]) -> T) -> T {
        // What a panic left in it nobody reads.
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.is_empty() {
            buffer.resize(SIZE, 0);
        }
        work(&mut buffer)
    }
}
