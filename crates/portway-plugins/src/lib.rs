//! The built-in plugins: one folder each, written against the plugin contract alone.
//!
//! A new one is a folder, its `mod` line and its line in [`registry`].

#[allow(unused, reason = "what writes into queries is yet to come")]
mod asked;
mod concurrency_limit;
mod escape;
mod fault_injection;
mod ip_restriction;
mod keys;
mod maintenance;
mod rate_limit;
mod request_size_limit;
mod response_headers;
mod static_response;

use portway_plugin::Registry;

pub use concurrency_limit::{ConcurrencyLimit, ConcurrencyLimitSpec};
pub use fault_injection::{FaultInjection, FaultInjectionSpec};
pub use ip_restriction::{IpRestriction, IpRestrictionSpec};
pub use keys::{By, ClaimName, Ipv6Prefix, KeySpec, Missing};
pub use maintenance::{Hours, Maintenance, MaintenanceSpec, Weekday};
pub use rate_limit::{Algorithm, Headers, RateLimit, RateLimitSpec};
pub use request_size_limit::{RequestSizeLimit, RequestSizeLimitSpec};
pub use response_headers::ResponseHeaders;
pub use static_response::{StaticResponse, StaticResponseSpec};

/// All of them.
#[must_use]
pub fn registry() -> Registry {
    Registry::new()
        .with::<RateLimit>()
        .with::<ConcurrencyLimit>()
        .with::<RequestSizeLimit>()
        .with::<IpRestriction>()
        .with::<FaultInjection>()
        .with::<StaticResponse>()
        .with::<Maintenance>()
        .with::<ResponseHeaders>()
}
