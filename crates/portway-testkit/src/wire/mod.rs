//! The bytes of HTTP/1.1, read as they are.
//!
//! What the raw client and the raw upstream share: a socket with a read buffer and an optional
//! record of everything that came in, and just enough of HTTP/1.1 to find the end of a message.
//! It never judges a message: tests send and expect wrong ones on purpose.

mod body;
mod fields;
mod socket;

pub use body::Framing;
pub use fields::Fields;
pub(crate) use fields::split_head;
pub(crate) use socket::{Record, Socket, accept};
