//! `acl`: who may ask, of those that other plugins have found out.
//!
//! It decides by consumers, groups, claims, addresses and an expression. It never finds out who asks: plugins
//! further out do, such as `key-auth` or `jwt`.

mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::Acl;
pub use spec::{AclList, AclSpec};
