//! Secrets at rest: values are sealed before they are stored, and opened when they are used.
//!
//! A [`KeyRing`] holds keys of 32 bytes. The first one seals, all of them open, so that keys can
//! be changed while old values are still about. A value is sealed to its name: under another one
//! it does not open, and whoever can write to the store cannot pass one secret off as another.
//!
//! The cipher is AES-256-GCM-SIV (RFC 8452): the same random nonce twice, which no counter here
//! could rule out over restarts and restored backups, tells at most that two values are equal.
//!
//! What it never does: store a key in the store, or in a backup of it.

mod file;
mod key;
mod ring;

pub use file::{Found, KeyFileError, load_or_make, save};
pub use key::{InvalidKeys, KeyId};
pub use ring::{KeyRing, Lost, SealError, Secret};
