//! The servers of this crate against its clients, over real sockets.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod client;
mod echo;
mod frames;
#[cfg(feature = "grpc")]
mod grpc;
mod load;
mod nameserver;
mod nginx;
mod process;
mod raw;
#[cfg(feature = "tls")]
mod tls;
mod unix;
mod websocket;
