//! Connections, and the bytes of HTTP/1.1 on them, read as they are.
//!
//! What the clients and upstreams share: a connection over TCP, TLS or a Unix domain socket; a
//! socket with a read buffer and an optional record of everything that came in; and just enough of
//! HTTP/1.1 to find the end of a message.
//! It never judges a message: tests send and expect wrong ones on purpose.

mod body;
mod fields;
mod secured;
mod security;
mod socket;
mod stream;

pub use body::Framing;
pub use fields::Fields;
pub(crate) use fields::split_head;
pub use secured::Secured;
pub(crate) use security::Security;
pub(crate) use socket::{Record, Socket, accept};
pub(crate) use stream::{NO_ADDR, Place, Stream};
