//! `rewrite`: another host, path or query in place of those the client asked for.
//!
//! It never chooses another route or service: those are found before. What is decided by paths
//! elsewhere, by limits or by access rules, is decided by the client's path.

mod plugin;
mod query;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::Rewrite;
pub use spec::{QueryEditSpec, RewriteSpec};
