//! Configuration files as a source of revisions.
//!
//! A [`FileSource`] reads files, directories of files and what they refer to, loads them together,
//! and goes on watching: a write that was closed, an atomic rename, a swapped symbolic link and a
//! file that was deleted and made again are seen at once, and so are files and directories that
//! come and go. What is still being written is waited for; what cannot be read is a problem and no
//! configuration; what equals the last content is not told at all. A [`Vault`] has the secrets of
//! others; when one that was referred to changes, the files are read again.
//!
//! This room never checks, compiles or applies a configuration, and keeps none: it only says
//! what there is to apply.

mod file;
mod folder;
mod latest;
mod reading;
mod signal;
mod stamps;
#[cfg(test)]
mod tests;
mod trail;
mod vault;
mod watching;

pub use file::{FileSource, Reread};
pub use reading::{Reading, read, read_all, read_start};
pub use vault::Vault;
