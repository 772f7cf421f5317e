//! What `request-headers` and `response-headers` share: the spec, and the edits made of it.
//!
//! An edit removes, then renames, then sets, then adds, whatever the order in the configuration.
//! It never touches fields that frame a message, concern one connection or are the gateway's to
//! say: those are refused before there is a request.

mod edit;
mod spec;

pub(crate) use edit::{HeaderEdit, Side};
pub use spec::{HeaderEditSpec, OneOrMany};
