//! A configuration file as a source of revisions.
//!
//! A [`FileSource`] reads one file and the files it refers to, loads them, and goes on watching:
//! a write that was closed, an atomic rename, a swapped symbolic link and a file that was deleted
//! and made again are seen at once. What is still being written is waited for; what cannot be
//! read is a problem and no configuration; what equals the last content is not told at all.
//!
//! This room never checks, compiles or applies a configuration, and keeps none: it only says
//! what there is to apply.

mod file;
mod latest;
mod reading;
mod signal;
#[cfg(test)]
mod tests;
mod trail;
mod watching;

pub use file::{FileSource, Reread};
pub use reading::{Reading, read};
