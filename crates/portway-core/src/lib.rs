//! The data plane: from a checked configuration to traffic.
//!
//! Read it in the order a request meets it: `listen` accepts, `driver` speaks HTTP, `gateway`
//! serves one request, `route` finds its plan, `forward` edits the head, `upstream` sends it,
//! `exchange` remembers it to the last byte. What speaks no HTTP goes from `listen` to `layer4`,
//! which passes it on. A configuration change comes through `change` and
//! becomes a `snapshot`; `server` hosts it all on one thread per core.

#![cfg_attr(
    not(all(feature = "http2", feature = "tls")),
    allow(dead_code, unused_imports, reason = "some of it is for protocols that are left out")
)]

mod balance;
mod base64;
mod chain;
mod change;
pub mod connect;
mod descriptors;
mod driver;
mod exchange;
pub mod explain;
#[cfg(feature = "files")]
mod files;
#[cfg(not(feature = "files"))]
#[path = "no_files.rs"]
mod files;
mod forward;
#[cfg(feature = "tls")]
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod grpc;
mod host;
mod layer4;
mod listen;
pub mod observe;
pub mod probe;
pub mod protocol;
mod proxy_protocol;
mod reply;
mod resolve;
pub mod route;
mod server;
mod snapshot;
mod socket;
pub mod source;
pub mod telemetry;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod upstream;
mod websocket;

pub use change::{Changes, Commit, Intent, OriginStatus, Part, Proposals, Running, verify};
pub use portway_plugin::{Body, Error, Response};

pub use driver::Upgradable;
pub use gateway::{AdminPeer, AdminService, Gateway, HostedPeer};
pub use server::{Options, Server, Stop, run};
