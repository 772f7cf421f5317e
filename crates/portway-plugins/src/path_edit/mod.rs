//! What `rewrite` and `redirect` share: another path in place of a request's.
//!
//! What it makes is always one path: no `//`, no dot segments, no query, no escape that was not
//! there, whatever the pieces of the old path are. It decides nothing about hosts and queries.

mod edit;
mod spec;

pub(crate) use edit::PathEdit;
pub use spec::{PathEditSpec, PrefixEdit, RegexEdit};
