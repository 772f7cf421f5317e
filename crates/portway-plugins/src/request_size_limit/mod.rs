//! `request-size-limit`: how large the body of a request may be.
//!
//! A body that says it is larger is refused before a byte of it is read; one that does not say is
//! counted while it passes. Nothing is buffered. Headers, trailers and answers are not measured.

mod counted;
mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::RequestSizeLimit;
pub use spec::RequestSizeLimitSpec;
