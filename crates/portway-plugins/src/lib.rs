//! The built-in plugins: one folder each, written against the plugin contract alone.
//!
//! A new one is a folder, its `mod` line and its line in [`registry`].

mod asked;
mod body_transform;
mod compression;
mod cors;
mod entity;
mod header_edit;
mod inject;
mod path_edit;
mod redirect;
mod request_headers;
mod response_headers;
mod rewrite;
mod set_scheme;
mod set_version;

use portway_plugin::Registry;

pub use body_transform::{
    BodyTemplate, BodyTransform, BodyTransformSpec, PatchStep, PatchVerb, TransformSpec,
};
pub use compression::{Compression, CompressionSpec, Encoding, Level};
pub use cors::{Cors, CorsSpec, Origin};
pub use header_edit::{HeaderEditSpec, OneOrMany};
pub use inject::{Inject, InjectSpec, WebhookSpec};
pub use path_edit::{PathEditSpec, PrefixEdit, RegexEdit};
pub use redirect::{Redirect, RedirectSpec, RedirectStatus};
pub use request_headers::RequestHeaders;
pub use response_headers::ResponseHeaders;
pub use rewrite::{QueryEditSpec, Rewrite, RewriteSpec};
pub use set_scheme::{SetScheme, SetSchemeSpec};
pub use set_version::{SetVersion, SetVersionSpec, WishedVersion};

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
        .with::<SetScheme>()
        .with::<SetVersion>()
        .with::<Inject>()
}
