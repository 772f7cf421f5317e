//! `key-auth`: who has the key is let in.
//!
//! Keys are looked up by their digest, so that the time it takes tells nothing of the keys there
//! are, and no key is kept in memory. It never takes one of several keys: they are refused.

mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::{KeyAuth, hash_key};
pub use spec::KeyAuthSpec;
