//! gRPC as a proxy sees it: which calls it is spoken in, their deadlines, failures told in its own
//! way, and the bridge by which browsers reach it (gRPC-Web).
//!
//! What this room never does: look into a message, hold one back, or decide which route speaks
//! gRPC.

mod kind;
mod messages;
mod status;
mod timeout;
mod told;
mod web;

pub(crate) use kind::Kind;
pub(crate) use status::{refusal, settle};
pub(crate) use timeout::{read_timeout, write_timeout};
pub(crate) use web::Bridge;
