//! TLS on both sides, by rustls: what a listener shows and asks of its clients, and what an
//! upstream is asked.
//!
//! Plans are made from a checked configuration by CPU work alone ([`prepare`]); handshakes run on
//! the core that has the connection. Every policy about client certificates has a configuration
//! of its own, with ticket keys of its own: a session never crosses from one to another. What this
//! room never does: read a file, speak HTTP, choose a route.

mod certificate;
mod client;
mod domains;
mod facts;
mod handshake;
mod listener;
mod material;
mod prepare;
mod resolver;
#[cfg(test)]
mod tests;

pub(crate) use client::{Client, Offer, Verification, outbound};
pub(crate) use facts::{ClientCertificate, TlsFacts};
pub(crate) use handshake::{HandshakeError, handshake, unrecognized_name};
pub(crate) use listener::ListenerPlan as TlsPlan;
pub use prepare::verify;
pub(crate) use prepare::{Prepared, prepare};
