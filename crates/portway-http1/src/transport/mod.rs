//! What lies between the codec and a socket: bytes that came, bytes that are to go, and the time
//! it takes.

mod clock;
mod feed;
mod inbox;
mod outbox;

pub(crate) use clock::{Clock, Progress};
pub(crate) use feed::{Broken, Feed, HIGH_WATER};
pub(crate) use inbox::Inbox;
pub(crate) use outbox::Outbox;
