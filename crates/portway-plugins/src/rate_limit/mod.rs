//! `rate-limit`: how often each client, consumer and so on may ask.
//!
//! A request passes when all limits let it pass, and counts in all of them or in none. The counts
//! are exact over all cores of the process. They are bounded in number: when there are too many
//! keys, those that have their whole quota are forgotten first. Counts are not shared between
//! processes and do not outlive one; nothing is queued or slowed down.

mod error;
mod headers;
mod limit;
mod plugin;
mod spec;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use plugin::RateLimit;
pub use spec::{Algorithm, Headers, RateLimitSpec};
