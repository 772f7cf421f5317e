//! What stands in the place of the process log in a build without it.

use std::{
    convert::Infallible,
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use portway_config::Logging;

/// There is none.
#[derive(Debug)]
pub struct LogControl(Infallible);

/// The log is no part of this build.
#[derive(Debug)]
pub struct LogError;

/// Says so.
pub fn init(_: &Logging) -> Result<LogControl, LogError> {
    Err(LogError)
}

impl LogControl {
    /// Nobody calls it.
    pub fn apply(&self, _: &Logging) {
        match self.0 {}
    }

    /// Nobody calls it.
    #[must_use]
    pub fn dropped(&self) -> Arc<AtomicU64> {
        match self.0 {}
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this build writes no process log: build portway with the feature log")
    }
}

impl std::error::Error for LogError {}
