//! `body-transform`: makes other bodies of JSON bodies, by JSON Patch and by templates.
//!
//! A body is read whole, up to a cap. One that is no JSON, is compressed or is not there at all is
//! left alone unless it is required. It never guesses at types and never sends half a body.

mod error;
mod plugin;
mod spec;
mod template;
#[cfg(test)]
mod tests;
mod transform;

pub use plugin::BodyTransform;
pub use spec::{BodyTransformSpec, PatchStep, PatchVerb, TransformSpec};
pub use template::BodyTemplate;
