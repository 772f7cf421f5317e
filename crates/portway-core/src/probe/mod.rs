//! The probe listener: is the process alive, may it get traffic, what has it counted, which build
//! is it.
//!
//! It is a listener of its own on the control runtime, so that it answers while every core is
//! busy, and no route can shadow it. It is no part of the data plane: it speaks HTTP/1.1 through
//! hyper directly, not through the driver's door, and takes nothing from a request but method,
//! path and `Accept`. Whoever reaches the port may ask, so it shows nothing secret: of a rejected
//! configuration it tells where the problems are, not what was written there.

mod answer;
mod listener;
mod readiness;

#[cfg(test)]
mod tests;

pub use self::{listener::Probe, readiness::Readiness};
