//! The built-in plugins: one folder each, written against the plugin contract alone.
//!
//! A new one is a folder, its `mod` line and its line in [`registry`].

mod acl;
mod basic_auth;
#[cfg(test)]
mod fixtures;
mod forward_auth;
mod hmac_auth;
mod identity;
mod jwt;
mod key_auth;
mod recent;
mod response_headers;

use portway_plugin::Registry;

pub use acl::{Acl, AclList, AclSpec};
pub use basic_auth::{BasicAuth, BasicAuthSpec};
pub use forward_auth::{ForwardAuth, ForwardAuthSpec};
pub use hmac_auth::{HmacAuth, HmacAuthSpec, HmacMode};
pub use identity::{IDENTITY_HEADERS, IdentitySpec};
pub use jwt::{Algorithm as JwtAlgorithm, JwksSpec, Jwt, JwtKeySpec, JwtSpec};
pub use key_auth::{KeyAuth, KeyAuthSpec};
pub use response_headers::ResponseHeaders;

/// All of them.
#[must_use]
pub fn registry() -> Registry {
    Registry::new()
        .with::<Acl>()
        .with::<BasicAuth>()
        .with::<ForwardAuth>()
        .with::<HmacAuth>()
        .with::<Jwt>()
        .with::<KeyAuth>()
        .with::<ResponseHeaders>()
}
