//! `hmac-auth`: who signs requests with a shared secret is let in.
//!
//! It understands HTTP message signatures (RFC 9421) with `hmac-sha256`, and the drafts before them
//! (`Signature keyId="…"`). A secret never travels, and what is signed cannot be changed on the
//! way. It remembers no signatures: within `max_age` a request may be sent again by whoever saw it,
//! so it belongs behind TLS.

mod body;
mod draft;
mod fields;
mod plugin;
mod signed;
mod spec;
mod standard;
#[cfg(test)]
mod tests;

pub use plugin::HmacAuth;
pub use spec::{HmacAuthSpec, HmacMode};
