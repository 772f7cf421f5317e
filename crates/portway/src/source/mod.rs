//! Where configuration comes from.
//!
//! | source | what makes it one |
//! |---|---|
//! | a file, or all in a directory | [`Builder::file`](crate::Builder::file), which also lets its secrets be those of the store |
//! | the store, by the admin API | `admin` in the configuration |
//! | the program itself | the builder, and [`Handle::update`](crate::Handle::update) |
//! | a stream of configurations | [`stream`], given to [`Builder::source`](crate::Builder::source) |
//! | anything else | a [`Source`](crate::config::Source) of one's own, given to the same |
//!
//! What all of them say together is served; each resource has one owner.

mod own;
mod stream;

pub(crate) use own::{Own, begun, confused};
pub use portway_core::source::{FileSource, Reading, Reread, Vault, read, read_all, read_start};
pub use stream::{State, StreamSource, stream};
