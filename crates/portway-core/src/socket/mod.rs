//! Byte streams to other programs, whatever carries them: TCP, a Unix domain socket, or what the
//! program's own code has made; plain or under TLS, with bytes in front that were read already.
//!
//! What this room never does: bind, accept, connect, shake hands, understand a byte.

mod own;
mod prefixed;
mod stream;
mod tuning;
mod wire;

pub(crate) use own::{Io, Own};
pub(crate) use prefixed::Prefixed;
pub(crate) use stream::{StdStream, Stream};
pub(crate) use tuning::tune;
pub(crate) use wire::Wire;
