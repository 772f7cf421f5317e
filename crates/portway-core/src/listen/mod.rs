//! Listening sockets: bound once, one per core, emptied before they are closed.
//!
//! Each core accepts from a socket of its own (`SO_REUSEPORT`), and passes a new connection on
//! when another core clearly has fewer. This room accepts; what a connection says is the
//! driver's.

mod accept;
mod acceptor;
mod bind;
mod crowd;
mod greet;
mod terms;
mod visit;

pub(crate) use accept::{Accepting, accept};
pub(crate) use acceptor::Acceptor;
pub(crate) use bind::{Bound, Listening, bind, bind_listener};
pub(crate) use crowd::{Crowd, Passed, Presence};
pub(crate) use terms::Terms;
