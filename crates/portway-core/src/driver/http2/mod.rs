//! HTTP/2 on both sides, by the h2 crate: frames, header compression and flow control are its;
//! what a stream carries, for how long and to whom is told here.

mod client;
mod incoming;
mod meter;
mod outgoing;
mod pace;
mod server;
mod socket;
mod stream;
mod tunnel;

pub(crate) use client::{Answer, Multiplexed, Shake, ask_tunnel};
pub(super) use server::serve;
pub(crate) use stream::{StreamLine, Tunnelled};
pub(super) use tunnel::{Awaited, StreamIo};

/// It is part of this build.
pub(crate) const IS_SPOKEN: bool = true;
