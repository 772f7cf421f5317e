//! The wire: one door for a connection from a client, one for an exchange with an upstream.
//!
//! hyper is known in this room alone (and in `probe`, which is not the data plane). Everything
//! else sees `http` types, [`Body`](portway_plugin::Body) and the few types named here, so that
//! another wire can be put behind the same two doors. What this room never does: route, choose,
//! retry or render.

mod body;
mod client;
mod pace;
mod server;
mod socket;
mod tunnel;
mod write;

pub(crate) use client::{Answer, Connection, Failure, FailureKind, Home};
pub(crate) use pace::{Pace, PaceLimits};
pub(crate) use server::{Closing, ServerOptions, serve};
pub(crate) use tunnel::{ClientUpgrade, TunnelEnd, TunnelEndReason, tunnel};
