//! HTTP/1.1 for proxies (RFC 9110, RFC 9112): the strictest reading that real peers survive, and
//! as little work per message as `http`'s types allow.
//!
//! - [`server`] serves a connection from a client, one request after the other.
//! - [`client`] runs one exchange at a time on a connection to an upstream, in the caller's task.
//! - [`limits`] bounds heads, bodies and time; [`error`] says what was refused, and why.
//!
//! What is malformed is refused, never mended: whatever two readers could understand differently
//! does not get through. What goes out is encoded anew from the parsed form, so that nothing of a
//! peer's spelling can reach the other side. There is no routing here, no policy and no `unsafe`.

pub mod body;
pub mod client;
pub mod error;
pub mod head;
pub mod limits;
pub mod server;

mod transport;

/// What the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
