//! `static-response`: an answer of the configuration's own.
//!
//! Nothing is sent on. What a request says about itself may stand in header fields and in the
//! body, and never becomes part of its surroundings: it ends neither a line nor a string nor an
//! element. It serves no files.

mod content;
mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::StaticResponse;
pub use spec::StaticResponseSpec;
