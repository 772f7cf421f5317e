//! What a configuration does, told to people.
//!
//! [`table`] lists what would be served in the order in which it is tried. It reads a checked
//! configuration and nothing else: no snapshot, no traffic. It decides nothing either; the
//! matcher in `route` does, and a test holds the two together.

mod rank;
mod table;

pub use table::{Row, table};
