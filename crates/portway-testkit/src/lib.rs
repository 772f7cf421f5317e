//! Real upstreams, real clients and real faults for testing gateways and plugins over sockets.
//!
//! Nothing here is a mock: each server listens on a loopback port, each client opens a
//! connection, each fault happens on the wire. Servers stop when they are dropped, and every wait
//! ends after [`DEADLINE`] with an error that names what was waited for, so that no test hangs.
//! Errors are [`std::io::Error`]s whose text is meant for the person who reads the failed test.
//!
//! | room | what is in it |
//! |---|---|
//! | [`echo`] | an upstream that answers with what it got, and does what the query asks |
//! | [`raw`] | a scripted TCP upstream for faults, which keeps every byte it read |
//! | [`frames`] | HTTP/2 frame by frame, right or wrong, for both sides |
//! | [`client`] | a byte-exact client, a well-behaved one, WebSocket, Server-Sent Events |
//! | [`process`] | an executable as a child process: its output, signals, ports and memory |
//! | [`load`] | many connections that go on asking, and a tally of how they were answered |
//! | [`nginx`] | a real nginx as an upstream |
//! | [`nameserver`] | a DNS server whose answers a test can change |
//! | `tls` | certificates made on the spot, TLS for servers and clients (feature `tls`) |
//! | `grpc` | with the feature `grpc`: the interoperability server, client and cases of gRPC |
//! | `plugin` | with the feature `plugin`: a stage for one plugin |
//! | [`deadline`] | how a wait ends |
//!
//! ```
//! use portway_testkit::{Client, Echo};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let upstream = Echo::start().await?;
//! let response = Client::h1(upstream.addr()).get("/hello?status=201").await?;
//! assert_eq!(response.status, 201);
//! assert_eq!(response.answer()?.path, "/hello");
//! # Ok(())
//! # }
//! ```

pub mod client;
pub mod deadline;
pub mod echo;
pub mod frames;
#[cfg(feature = "grpc")]
pub mod grpc;
pub mod load;
pub mod nameserver;
pub mod nginx;
#[cfg(feature = "plugin")]
pub mod plugin;
pub mod process;
pub mod raw;
mod task;
#[cfg(feature = "tls")]
pub mod tls;
mod wire;

pub use client::{Client, Closed, Event, EventStream, Message, RawClient, RawResponse, WebSocket};
pub use deadline::{DEADLINE, eventually, within};
pub use echo::{Echo, RunningEcho};
pub use load::{Load, Tally};
pub use nameserver::NameServer;
pub use nginx::{Nginx, RunningNginx};
pub use process::{Process, Signal, free_addr, free_port};
pub use raw::{RawConnection, RawUpstream, refused_addr};
