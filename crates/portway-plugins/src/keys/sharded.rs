//! Something for each key, behind locks that are seldom wanted twice at once.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Key;

/// A map by keys, which need no further hashing.
pub(crate) type KeyMap<T> = HashMap<Key, T, BuildHasherDefault<Hashed>>;

/// A value for each part of all keys, with a lock of its own.
#[derive(Debug)]
pub(crate) struct Sharded<T>(Box<[Apart<T>]>);

/// On cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(Mutex<T>);

/// Keys are hashes already.
#[derive(Debug, Default)]
pub(crate) struct Hashed(u64);

impl<T> Sharded<T> {
    /// The most parts.
    pub(crate) const MAX: usize = 64;

    /// So many parts, rounded down to a power of two, of at least one and at most
    /// [`Self::MAX`].
    pub(crate) fn new(shards: usize, mut make: impl FnMut(usize) -> T) -> Self {
        let shards = 1 << shards.clamp(1, Self::MAX).ilog2();
        Self((0..shards).map(|_| Apart(Mutex::new(make(shards)))).collect())
    }

    /// The part of a key.
    pub(crate) fn lock(&self, key: Key) -> MutexGuard<'_, T> {
        // Maps take the lowest and the highest bits.
        let bits = usize::from(key.hash().to_le_bytes()[4]);
        let shard = &self.0[bits & (self.0.len() - 1)];
        shard.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All parts, one after the other.
    #[cfg(test)]
    pub(crate) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.0.iter().map(|shard| shard.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // A key writes one number, which does not come here.
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash << 8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
