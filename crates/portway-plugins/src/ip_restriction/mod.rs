//! `ip-restriction`: which clients may ask, by their address.
//!
//! It refuses the others, or only marks the requests of those that may for the `when` of plugins
//! further in. The address is the client's as the gateway knows it: what a header field says
//! counts only where a trusted proxy has sent it.

mod error;
mod plugin;
mod ranges;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::IpRestriction;
pub use spec::IpRestrictionSpec;
