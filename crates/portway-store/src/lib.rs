//! Where a gateway keeps what changes while it runs: keys, revisions and watches.
//!
//! [`Store`] is the one interface. [`Embedded`] keeps everything in one file of a data directory,
//! [`Memory`] in memory, to forget it with the process. Whatever implements it behaves alike; one
//! suite of tests runs over all of them.
//!
//! The crate knows nothing of resources: it stores bytes under paths, all or nothing, and tells
//! who watches. What the bytes mean, who may write them and what their history is called is the
//! affair of the rooms above. It spawns nothing on a runtime and needs none.

pub mod backup;
mod embedded;
mod entry;
mod error;
mod key;
mod memory;
pub mod pieces;
pub mod seal;
mod state;
mod store;
mod transaction;
mod watch;

pub use embedded::{Embedded, OpenError, Options};
pub use entry::{Entry, List, Page, Revision};
pub use error::{Cause, Conflict, Error, Mismatch};
pub use key::{InvalidKey, Key, Prefix};
pub use memory::Memory;
pub use store::{Answer, Location, Store};
pub use transaction::{Comparison, Expect, Limits, Operation, Transaction};
pub use watch::{Commit, Event, Watch};
