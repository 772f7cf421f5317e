//! Which route takes a request: the matcher.
//!
//! [`Router::build`] turns the matches of all routes into prepared tables; [`Router::find`] asks
//! them, with no parsing, no lock and no allocation by name. The precedence is the one that
//! `docs/routing.md` promises: priority, host, path segment by segment, then the number of other
//! conditions, then declaration. A request that fails the later conditions of one candidate falls
//! back to the next. Where domains are declared, the host says whose routes are candidates at all.
//!
//! A router is put together of parts, one for each host of each namespace. A part that no change
//! touches is shared with the router before it.
//!
//! This room never normalises a path, never answers and never knows what a route does: it hands
//! back the number a route was entered with. Regular expressions stand outside of the router in
//! [`Regexes`], because matching writes to their scratch space and each core needs its own.

mod build;
mod captures;
mod condition;
mod domains;
mod hosts;
mod methods;
mod regexes;
mod router;
mod trie;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use captures::Captures;
pub(crate) use condition::{field_value, query_bytes, query_value};
pub(crate) use domains::Domains;
pub(crate) use hosts::{HostSet, Hosts, host_name};
pub use methods::Allow;
pub(crate) use regexes::Programs;
pub use regexes::Regexes;
pub use router::{Certificate, CompiledMatchRef, Entry, Found, Lookup, MatchId, Router, World};
