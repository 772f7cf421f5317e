//! Byte streams to other programs, whatever carries them: TCP or a Unix domain socket, plain or
//! under TLS, with bytes in front that were read already.
//!
//! What this room never does: bind, accept, connect, shake hands, understand a byte.

mod prefixed;
mod stream;
mod wire;

pub(crate) use prefixed::Prefixed;
pub(crate) use stream::{StdStream, Stream};
pub(crate) use wire::Wire;
