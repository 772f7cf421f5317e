//! `fault-injection`: delays and failures on purpose, to see how clients bear them.
//!
//! Each is drawn for itself, the delay before the failure. Nothing of it depends on what a client
//! sends: attach it with a `when` to try it with some requests only.

mod error;
mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::FaultInjection;
pub use spec::FaultInjectionSpec;
