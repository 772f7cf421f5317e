//! Paths: what a request's path is, and what a configuration says about it.
//!
//! There is one normal form ([`normalize_path`]) for the paths of requests and for the literal
//! text of configurations, so that whoever compares the two compares bytes. This room knows how
//! paths are written and checked; it never decides which of two patterns wins.

mod flaw;
mod literal;
mod normal;
mod pattern;
mod pieces;
mod shape;
#[cfg(test)]
mod tests;

pub use literal::{PathPrefix, RequestPath};
pub use normal::{AmbiguousPath, normalize_path};
pub use pattern::{Part, Parts, PathPattern, Segment};
pub use shape::PathShape;

pub(super) use flaw::Flaw;
pub(super) use normal::{check_dot_segments, push_capture};
use pieces::check_depth;
pub(super) use pieces::{Kind, Piece, literal_text, pieces};
