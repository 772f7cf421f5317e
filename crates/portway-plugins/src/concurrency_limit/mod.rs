//! `concurrency-limit`: how many requests of each client, consumer and so on are served at once.
//!
//! A request counts from its arrival to the last byte of its answer, or until nobody wants the
//! answer any more; one that is refused never counts. Nothing is queued.

mod error;
mod plugin;
mod spec;
mod table;
#[cfg(test)]
mod tests;

pub use plugin::ConcurrencyLimit;
pub use spec::ConcurrencyLimitSpec;
