//! The life of a change: check, compile, activate.
//!
//! Checking is `portway-config`'s, compiling `snapshot`'s; here is the one step that touches the
//! world. What is new is opened first; if any of it fails, all of it is dropped and the old
//! revision stays. Then each core gets one pointer, and what left drains.

mod activate;
mod lacking;
mod origins;
mod prepare;
mod proposals;

pub(crate) use activate::{activate, nothing};
pub(crate) use origins::Origins;
pub use origins::{OriginStatus, Part};
pub use prepare::verify;
pub(crate) use proposals::Proposal;
pub use proposals::{Changes, Commit, Intent, Proposals, Running};
