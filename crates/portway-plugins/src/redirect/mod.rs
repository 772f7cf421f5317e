//! `redirect`: sends clients elsewhere.
//!
//! A request that is already where it would be sent goes on to its target, so that one setting may
//! stand on all listeners. It never sends a client to where a request's path or query says, only
//! to where the configuration does.

mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::Redirect;
pub use spec::{RedirectSpec, RedirectStatus};
