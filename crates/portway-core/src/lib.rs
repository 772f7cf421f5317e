//! The data plane: from a checked configuration to traffic.
//!
//! Read it in the order a request meets it: `listen` accepts, `driver` speaks HTTP, `gateway`
//! serves one request, `route` finds its plan, `forward` edits the head, `upstream` sends it,
//! `exchange` remembers it to the last byte. A configuration change comes through `change` and
//! becomes a `snapshot`; `server` hosts it all on one thread per core.

mod balance;
mod change;
mod descriptors;
mod driver;
mod exchange;
pub mod explain;
mod files;
mod forward;
mod gateway;
mod listen;
pub mod probe;
mod reply;
mod resolve;
pub mod route;
mod server;
mod snapshot;
pub mod source;
pub mod telemetry;
mod upstream;

pub use gateway::{ClientAddr, Gateway};
pub use server::{Options, Server, Stop, run};
