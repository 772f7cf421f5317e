//! The data plane: from a checked configuration to traffic.
//!
//! Read it in the order a request meets it: `listen` accepts, `driver` speaks HTTP, `gateway`
//! serves one request, `route` finds its plan, `forward` edits the head, `upstream` sends it,
//! `exchange` remembers it to the last byte. What speaks no HTTP goes from `listen` to `layer4`,
//! which passes it on. A configuration change comes through `change` and
//! becomes a `snapshot`; `server` hosts it all on one thread per core.

mod balance;
mod base64;
mod chain;
mod change;
mod descriptors;
mod driver;
mod exchange;
pub mod explain;
mod files;
mod forward;
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod grpc;
mod host;
mod layer4;
mod listen;
pub mod probe;
mod proxy_protocol;
mod reply;
mod resolve;
pub mod route;
mod server;
mod snapshot;
mod socket;
pub mod source;
pub mod telemetry;
mod tls;
mod upstream;
mod websocket;

pub use change::{Changes, Commit, Intent, OriginStatus, Part, Proposals, Running};
pub use portway_plugin::{Body, Error, Response};

pub use gateway::{AdminPeer, AdminService, ClientAddr, Gateway};
pub use server::{Options, Server, Stop, run};
pub use tls::verify;
