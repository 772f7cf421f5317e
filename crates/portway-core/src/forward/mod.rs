//! What changes in a head on its way through: nothing hop-by-hop passes, the upstream learns who
//! asked, and nobody can pretend to be somebody else.
//!
//! Pure functions over `http` types. This room neither chooses a target nor sends anything.

mod hops;
mod host;
mod identity;
mod target;

pub(crate) use hops::{Hops, strip_request, strip_response};
pub(crate) use host::{requested_host, without_port};
pub(crate) use identity::{
    Identity, Introduction, Peer, X_REQUEST_ID, introduce, introduce_in_head, mint, request_id,
    strip_consumer, tell, via,
};
pub(crate) use target::{ambiguous_path, folder_location, forwarded_target, redirect_location};
