//! What a configuration does, told to people.
//!
//! [`table`] lists what would be served in the order in which it is tried, and [`streams`] what
//! would be passed on without being understood; [`chains`] lists the plugins around each route, and
//! [`trace`] follows one request through all of it; [`belonging`] says which domain has a host. All
//! read a checked configuration and nothing
//! else: no snapshot, no traffic. They decide nothing either; the matcher in `route` does, and a
//! test holds the two together.

mod chains;
mod domains;
mod live;
mod rank;
mod request;
mod streams;
mod table;

pub use chains::{ChainRow, chains};
pub use domains::{Belonging, belonging};
pub use live::{Admitted, Seen, Step};
pub(crate) use live::{DEBUG, DEBUG_ID, Watched};
pub use request::{Candidate, Condition, Question, Trace, trace};
pub use streams::{StreamRow, streams};
pub use table::{Row, table};
