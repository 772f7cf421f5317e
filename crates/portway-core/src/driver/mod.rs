//! The wire: one door for a connection from a client, one for an exchange with an upstream.
//!
//! HTTP/1.1 is spoken by `portway-http1`, HTTP/2 by the h2 crate, and both are known in this room
//! alone. Everything else sees `http` types, [`Body`](portway_plugin::Body) and the few types
//! named here. What this room never does: route, choose, retry or render.

mod body;
mod client;
mod foreign;
mod http1;
#[cfg(feature = "http2")]
mod http2;
#[cfg(not(feature = "http2"))]
#[path = "no_http2.rs"]
mod http2;
mod line;
mod parting;
mod server;
mod tunnel;
mod write;

pub(crate) use client::{Again, Answer, Connection, Failed, Home, Interim, Options, exchange};
pub use foreign::Upgradable;
pub(crate) use http2::{IS_SPOKEN as SPEAKS_HTTP2, Multiplexed, Shake, Tunnelled, ask_tunnel};
pub(crate) use line::ClientLine;
pub(crate) use server::{Closing, FAREWELL, Protocol, Serve, ServerOptions, serve};
pub(crate) use tunnel::{
    ClientUpgrade, Passing, TunnelEnd, TunnelEndReason, UpstreamUpgrade, tunnel,
};
