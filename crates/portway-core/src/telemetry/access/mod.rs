//! The access log: one record for each request, and for each connection or UDP session that is
//! passed on.
//!
//! A record is formatted where the request ends, straight into its core's buffer, and carried out
//! by a thread of its own. An output that is too slow, full or gone loses records, which are
//! counted; it never holds up a request.
//!
//! What a record has no field for is never logged: no query string, no header but the user agent
//! and the request id, so no `Authorization` and no cookie.

mod json;
mod logfmt;
mod record;
mod stream;
mod style;

#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    sync::{Arc, atomic::AtomicU64},
};

use portway_config::LogFormat;

use self::style::Style;
use super::lines::{Lines, Output, Pen, Writer};

pub use self::{
    record::{Record, Tls},
    stream::StreamRecord,
};
pub use super::lines::OutputError;

/// The access log of one gateway. It exists also while the configuration wants no records.
///
/// Dropped, it writes what it has, waiting at most a second for its output.
pub struct AccessLog {
    lines: Lines<Style>,
}

/// An output that is open and has a thread, ready to be switched to.
pub struct Prepared {
    writer: Option<Writer<Style>>,
    style: Style,
}

/// Where one core writes its records. Cloned, it is the same place.
#[derive(Clone)]
pub struct AccessLogHandle {
    pen: Arc<Pen<Style>>,
}

/// An access log could not be prepared.
#[derive(Debug)]
pub enum AccessLogError {
    /// Its output could not be opened.
    Output(OutputError),
    /// Its thread could not be started.
    Thread(io::Error),
}

impl AccessLog {
    /// A log that writes nothing until [`switch`](Self::switch). The counter is that of
    /// [`Metrics::access_log_dropped`](super::metrics::Metrics::access_log_dropped).
    #[must_use]
    pub fn new(dropped: Arc<AtomicU64>) -> Self {
        Self { lines: Lines::new(Style::new(LogFormat::default()), dropped) }
    }

    /// Opens what a configuration names, and changes nothing yet. `log` is the format of the
    /// process log, which stands where the access log names none.
    pub fn prepare(
        config: &portway_config::AccessLog,
        log: LogFormat,
    ) -> Result<Prepared, AccessLogError> {
        let writer = if config.enabled {
            let output = Output::open(&config.path).map_err(AccessLogError::Output)?;
            Some(Writer::start(output, false).map_err(AccessLogError::Thread)?)
        } else {
            None
        };
        Ok(Prepared { writer, style: Style::new(config.format.unwrap_or(log)) })
    }

    /// Writes there from now on. Records that were written before still reach the old output.
    pub fn switch(&self, to: Prepared) {
        self.lines.switch(to.writer, &to.style);
    }

    /// A handle for one more core.
    pub fn handle(&self) -> AccessLogHandle {
        AccessLogHandle { pen: self.lines.pen() }
    }

    /// Opens the file again under its name. It happens by itself within a second after the file
    /// was moved or removed.
    pub fn reopen(&self) {
        self.lines.reopen();
    }
}

impl AccessLogHandle {
    /// Whether records are wanted at all.
    #[inline]
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.pen.is_on()
    }

    /// Writes one record. It takes the lock of this handle, which only the writing thread shares,
    /// and never waits for the output.
    #[inline]
    pub fn write(&self, record: &Record<'_>) {
        self.pen.line(|style, out| style.push(record, out));
    }

    /// Writes the record of a connection or a UDP session, as [`write`](Self::write) does.
    pub fn write_stream(&self, record: &StreamRecord<'_>) {
        self.pen.line(|style, out| style.push_stream(record, out));
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessLog")
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("enabled", &self.writer.is_some()).finish_non_exhaustive()
    }
}

impl fmt::Debug for AccessLogHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLogHandle").field("enabled", &self.is_enabled()).finish()
    }
}

impl fmt::Display for AccessLogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => error.fmt(f),
            Self::Thread(_) => f.write_str("cannot start the thread of the access log"),
        }
    }
}

impl std::error::Error for AccessLogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Output(error) => error.source(),
            Self::Thread(error) => Some(error),
        }
    }
}
