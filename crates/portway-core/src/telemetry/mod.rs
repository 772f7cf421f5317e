//! What the gateway says about itself: numbers, one record for each request, and a log.
//!
//! - [`metrics`]: cells on each core, summed when somebody asks.
//! - [`access`]: the access log, formatted on the core and written by a thread of its own.
//! - [`log`]: the process log, for the executable.
//!
//! Nothing here blocks a request: a reader that is too slow loses lines, and the loss is counted.
//! Nothing here is global to the process, except where the executable asks for it in [`log`].

pub mod access;
mod build;
mod clock;
mod escape;
mod lines;
#[cfg(feature = "process_log")]
pub mod log;
#[cfg(not(feature = "process_log"))]
#[path = "no_log.rs"]
pub mod log;
pub mod metrics;

pub use build::BuildInfo;

pub(crate) use clock::WallClock;
pub use clock::rfc3339;
