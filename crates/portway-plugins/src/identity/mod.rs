//! What all plugins share that find out who asks: their common options, where credentials come
//! from and how they are taken off, what the upstream is told, and how a stranger is refused.
//!
//! It never looks at a credential itself: whether it is good is the plugin's to say.

mod carrier;
mod gate;
mod headers;
mod spec;
#[cfg(test)]
mod tests;

pub(crate) use carrier::{Carrier, find, hide};
pub(crate) use gate::{Gate, challenge, disown, introduce, is_preflight};
pub(crate) use headers::is_framing;
pub(crate) use portway_plugin::credential::{ClaimRules, holds};
pub use spec::IdentitySpec;
pub(crate) use spec::{realm, yes};
