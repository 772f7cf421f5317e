//! WebSocket as a proxy needs it (RFC 6455): where frames end in a tunnel, so that a farewell can be
//! put between two of them, and the handshake, which HTTP/1.1 has and HTTP/2 has not (RFC 8441).
//!
//! What this room never does: unmask, hold back or change a byte that passes, or speak WebSocket to
//! anybody beyond that one farewell.

mod close;
mod handshake;
mod tracker;

pub(crate) use close::{GOING_AWAY, close_frame, masked_close_frame};
pub(crate) use handshake::Key;
pub(crate) use tracker::{Sender, Tracker};
