//! The process log: what the gateway says about its own work, on standard error.
//!
//! Only the executable asks for it. A program that uses the library installs a `tracing`
//! subscriber of its own, or none; nothing is installed unless [`init`] is called. Like the access
//! log it is written by a thread of its own, so that a terminal or a pipe that takes nothing stops
//! no core: lines that do not fit are dropped and counted.

mod sink;

#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    sync::{Arc, atomic::AtomicU64},
};

use portway_config::{LogFormat, LogLevel, Logging};
use tracing::{Dispatch, level_filters::LevelFilter};
use tracing_subscriber::{
    Registry,
    filter::Targets,
    fmt as format,
    layer::{Layer, SubscriberExt},
    reload,
};

use self::sink::Sink;
use super::lines::{Lines, Output, Writer};

/// Libraries that say much about little: only their warnings are shown, except at `trace`.
const CHATTY: [&str; 7] =
    ["h2", "hickory_net", "hickory_proto", "hickory_resolver", "hyper", "hyper_util", "mio"];

/// Changes the log while it is in use. Dropped, it writes what it has, waiting at most a second,
/// and ends the log.
pub struct LogControl {
    filter: reload::Handle<Targets, Registry>,
    dropped: Arc<AtomicU64>,
    /// Owns the writing thread.
    _lines: Lines<()>,
}

/// The log could not be started.
#[derive(Debug)]
pub enum LogError {
    /// Standard error is closed, or there can be no more threads.
    Output(io::Error),
    /// The process has a subscriber already.
    Taken,
}

/// Starts the process log and makes it the one of the whole process.
pub fn init(config: &Logging) -> Result<LogControl, LogError> {
    let output = Output::stderr().map_err(LogError::Output)?.unreported();
    let (dispatch, control) = build(config, output).map_err(LogError::Output)?;
    tracing::dispatcher::set_global_default(dispatch).map_err(|_| LogError::Taken)?;
    Ok(control)
}

impl LogControl {
    /// Takes over the level of a new configuration. The format stays what it was at start.
    pub fn apply(&self, config: &Logging) {
        // It fails only when the subscriber is gone, and with it the log.
        let _ = self.filter.reload(targets(config.level));
    }

    /// The counter of dropped lines, for
    /// [`Metrics::set_log_dropped`](super::metrics::Metrics::set_log_dropped).
    #[must_use]
    pub fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }
}

impl fmt::Debug for LogControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogControl")
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Output(_) => "cannot write the log to standard error",
            Self::Taken => "the process has a log already",
        })
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Output(error) => Some(error),
            Self::Taken => None,
        }
    }
}

/// A log with this output.
fn build(config: &Logging, output: Output) -> io::Result<(Dispatch, LogControl)> {
    let dropped = Arc::<AtomicU64>::default();
    let lines = Lines::new((), Arc::clone(&dropped));
    lines.switch(Some(Writer::start(output, true)?), &());
    let (filter, handle) = reload::Layer::new(targets(config.level));
    let sink = Sink::new(lines.pen(), config.format == LogFormat::Text);
    let layer = format::layer().with_ansi(false).with_writer(sink);
    let layer = match config.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let subscriber = Registry::default().with(filter).with(layer);
    Ok((Dispatch::new(subscriber), LogControl { filter: handle, dropped, _lines: lines }))
}

/// What is written at a level.
fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Trace => return Targets::new().with_default(LevelFilter::TRACE),
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let chatty = level.min(LevelFilter::WARN);
    Targets::new().with_default(level).with_targets(CHATTY.map(|target| (target, chatty)))
}
