//! Where a gateway keeps what changes while it runs: keys, revisions and watches.
//!
//! [`Store`] is the one interface. [`Memory`] keeps everything in memory and forgets it. What else
//! implements it behaves alike, word for word; one suite of tests runs over all of them.
//!
//! The crate knows nothing of resources: it stores bytes under paths, all or nothing, and tells
//! who watches. What the bytes mean, who may write them and what their history is called is the
//! affair of the rooms above. It spawns nothing on a runtime and needs none.

mod entry;
mod error;
mod key;
mod memory;
mod state;
mod store;
mod transaction;
mod watch;

pub use entry::{Entry, List, Page, Revision};
pub use error::{Cause, Conflict, Error, Mismatch};
pub use key::{InvalidKey, Key, Prefix};
pub use memory::Memory;
pub use store::{Answer, Store};
pub use transaction::{Comparison, Expect, Limits, Operation, Transaction};
pub use watch::{Commit, Event, Watch};
