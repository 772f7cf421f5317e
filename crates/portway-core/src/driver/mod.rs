//! The wire: one door for a connection from a client, one for an exchange with an upstream.
//!
//! HTTP/1.1 is spoken by `portway-http1`, HTTP/2 by hyper, and hyper is known in this room alone
//! (and in `probe`, which is not the data plane). Everything else sees `http` types,
//! [`Body`](portway_plugin::Body) and the few types named here. What this room never does: route,
//! choose, retry or render.

mod body;
mod client;
mod http1;
mod http2;
mod line;
mod pace;
mod server;
mod socket;
mod stall;
mod tunnel;
mod write;

pub(crate) use client::{Answer, Connection, Failed, Home, Interim, Options, exchange};
pub(crate) use line::ClientLine;
pub(crate) use server::{Closing, Protocol, Serve, ServerOptions, serve};
pub(crate) use tunnel::{ClientUpgrade, TunnelEnd, TunnelEndReason, tunnel};
