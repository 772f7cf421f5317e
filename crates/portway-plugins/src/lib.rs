//! The built-in plugins: one folder each, written against the plugin contract alone.
//!
//! A new one is a folder, its `mod` line and its line in [`registry`].

mod acl;
mod asked;
mod basic_auth;
mod body_transform;
mod compression;
mod concurrency_limit;
mod cors;
mod entity;
#[allow(unused, reason = "what writes into queries is yet to come")]
mod fault_injection;
#[cfg(test)]
mod fixtures;
mod forward_auth;
mod header_edit;
mod hmac_auth;
mod identity;
mod inject;
mod ip_restriction;
mod jwt;
mod key_auth;
mod keys;
mod maintenance;
mod path_edit;
mod rate_limit;
mod redirect;
mod request_headers;
mod request_size_limit;
mod response_headers;
mod rewrite;
mod set_scheme;
mod set_version;
mod shown;
mod static_response;

use portway_plugin::Registry;

pub use acl::{Acl, AclList, AclSpec};
pub use basic_auth::{BasicAuth, BasicAuthSpec};
pub use body_transform::{
    BodyTemplate, BodyTransform, BodyTransformSpec, PatchStep, PatchVerb, TransformSpec,
};
pub use compression::{Compression, CompressionSpec, Encoding, Level};
pub use concurrency_limit::{ConcurrencyLimit, ConcurrencyLimitSpec};
pub use cors::{Cors, CorsSpec, Origin};
pub use fault_injection::{FaultInjection, FaultInjectionSpec};
pub use forward_auth::{ForwardAuth, ForwardAuthSpec};
pub use header_edit::{HeaderEditSpec, OneOrMany};
pub use hmac_auth::{HmacAuth, HmacAuthSpec, HmacMode};
pub use identity::IdentitySpec;
pub use inject::{Inject, InjectSpec, WebhookSpec};
pub use ip_restriction::{IpRestriction, IpRestrictionSpec};
pub use jwt::{JwksSpec, Jwt, JwtSpec};
pub use key_auth::{KeyAuth, KeyAuthSpec, hash_key};
pub use keys::{By, ClaimName, Ipv6Prefix, KeySpec, Missing};
pub use maintenance::{Hours, Maintenance, MaintenanceSpec, Weekday};
pub use path_edit::{PathEditSpec, PrefixEdit, RegexEdit};
pub use portway_plugin::credential::{Algorithm as JwtAlgorithm, JwtKeySpec, hash_password};
pub use rate_limit::{Algorithm, Headers, RateLimit, RateLimitSpec};
pub use redirect::{Redirect, RedirectSpec, RedirectStatus};
pub use request_headers::RequestHeaders;
pub use request_size_limit::{RequestSizeLimit, RequestSizeLimitSpec};
pub use response_headers::ResponseHeaders;
pub use rewrite::{QueryEditSpec, Rewrite, RewriteSpec};
pub use set_scheme::{SetScheme, SetSchemeSpec};
pub use set_version::{SetVersion, SetVersionSpec};
pub use static_response::{StaticResponse, StaticResponseSpec};

/// All of them.
#[must_use]
pub fn registry() -> Registry {
    Registry::new()
        // Who asks.
        .with::<KeyAuth>()
        .with::<BasicAuth>()
        .with::<Jwt>()
        .with::<HmacAuth>()
        .with::<ForwardAuth>()
        .with::<Acl>()
        // How much.
        .with::<RateLimit>()
        .with::<ConcurrencyLimit>()
        .with::<RequestSizeLimit>()
        .with::<IpRestriction>()
        // Changes.
        .with::<RequestHeaders>()
        .with::<ResponseHeaders>()
        .with::<Rewrite>()
        .with::<Redirect>()
        .with::<Cors>()
        .with::<Compression>()
        .with::<BodyTransform>()
        .with::<SetScheme>()
        .with::<SetVersion>()
        // Answers.
        .with::<StaticResponse>()
        .with::<Maintenance>()
        .with::<FaultInjection>()
        // Others.
        .with::<Inject>()
}
