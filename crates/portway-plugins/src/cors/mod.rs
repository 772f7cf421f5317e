//! `cors`: lets pages of other origins use a service, by the rules of the Fetch standard.
//!
//! It answers preflights itself and says on every other answer, errors included, which origin may
//! read it. What the upstream says about that is replaced. It never names an origin that is not
//! allowed, and it protects nothing: whoever is no browser does not ask.

mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::Cors;
pub use spec::{CorsSpec, Origin};
