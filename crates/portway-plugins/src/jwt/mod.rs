//! `jwt`: who has a signed token is let in (RFC 7519, RFC 8725).
//!
//! Each key is good for one algorithm, which the configuration says; a token only names a key. It
//! never takes a key, or the place of one, from a token, and never a token it does not understand
//! to the last field.

mod jwk;
mod plugin;
mod ring;
mod spec;
#[cfg(test)]
mod tests;
mod verified;

pub use plugin::Jwt;
pub use spec::{JwksSpec, JwtSpec};
