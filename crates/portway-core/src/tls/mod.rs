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
pub(crate) use handshake::{HandshakeError, handshake};
pub(crate) use listener::ListenerPlan as TlsPlan;
pub(crate) use prepare::{Prepared, prepare};

use rustls::pki_types::ServerName;
use tokio_rustls::TlsStream;

use crate::socket::{Prefixed, Stream};

/// It is part of this build.
pub(crate) const IS_SPOKEN: bool = true;

/// The name that the certificate of an upstream must be for.
pub(crate) type UpstreamName = ServerName<'static>;

/// A connection under TLS.
pub(crate) type Secured = TlsStream<Prefixed<Stream>>;

/// What carries a connection under TLS.
pub(crate) fn carrier(secured: &Secured) -> &Stream {
    secured.get_ref().0.get_ref()
}
