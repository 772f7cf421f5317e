//! The built-in plugins: one folder each, written against the plugin contract alone.
//!
//! A new one is a folder, its `mod` line and its line in [`registry`].

mod asked;
mod body_transform;
mod compression;
mod concurrency_limit;
mod cors;
mod entity;
mod fault_injection;
mod header_edit;
mod ip_restriction;
mod keys;
mod path_edit;
mod rate_limit;
mod redirect;
mod request_headers;
mod request_size_limit;
mod response_headers;
mod rewrite;

use portway_plugin::Registry;

pub use body_transform::{
    BodyTemplate, BodyTransform, BodyTransformSpec, PatchStep, PatchVerb, TransformSpec,
};
pub use compression::{Compression, CompressionSpec, Encoding, Level};
pub use concurrency_limit::{ConcurrencyLimit, ConcurrencyLimitSpec};
pub use cors::{Cors, CorsSpec, Origin};
pub use fault_injection::{FaultInjection, FaultInjectionSpec};
pub use header_edit::{HeaderEditSpec, OneOrMany};
pub use ip_restriction::{IpRestriction, IpRestrictionSpec};
pub use keys::{By, ClaimName, Ipv6Prefix, KeySpec, Missing};
pub use path_edit::{PathEditSpec, PrefixEdit, RegexEdit};
pub use rate_limit::{Algorithm, Headers, RateLimit, RateLimitSpec};
pub use redirect::{Redirect, RedirectSpec, RedirectStatus};
pub use request_headers::RequestHeaders;
pub use request_size_limit::{RequestSizeLimit, RequestSizeLimitSpec};
pub use response_headers::ResponseHeaders;
pub use rewrite::{QueryEditSpec, Rewrite, RewriteSpec};

/// All of them.
#[must_use]
pub fn registry() -> Registry {
    Registry::new()
        .with::<RequestHeaders>()
        .with::<ResponseHeaders>()
        .with::<Cors>()
        .with::<Rewrite>()
        .with::<Redirect>()
        .with::<Compression>()
        .with::<BodyTransform>()
        .with::<RateLimit>()
        .with::<ConcurrencyLimit>()
        .with::<RequestSizeLimit>()
        .with::<IpRestriction>()
        .with::<FaultInjection>()
}
