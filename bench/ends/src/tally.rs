//! What a client has seen.

use std::time::Duration;

use serde_json::{Value, json};

/// What all lanes of a client have seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How long each answer took, in microseconds.
    times: Vec<f64>,
    /// Handshakes that resumed a session.
    pub(crate) resumed: u64,
    pub(crate) bytes: u64,
    pub(crate) errors: u64,
    /// Why the last one failed.
    pub(crate) last: Option<String>,
}

impl Tally {
    /// An answer has come.
    pub(crate) fn answered(&mut self, after: Duration, bytes: usize) {
        self.times.push(after.as_secs_f64() * 1e6);
        self.bytes += bytes as u64;
    }

    /// One has failed.
    pub(crate) fn failed(&mut self, error: &std::io::Error) {
        self.errors += 1;
        self.last = Some(error.to_string());
    }

    /// What another lane has seen.
    pub(crate) fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.resumed += other.resumed;
        self.bytes += other.bytes;
        self.errors += other.errors;
        self.last = other.last.or(self.last.take());
    }

    /// The report; an error when nothing was answered.
    pub(crate) fn report(mut self, wall: Duration) -> std::io::Result<Value> {
        if self.times.is_empty() {
            let why = self.last.unwrap_or_else(|| "nothing was asked".to_owned());
            return Err(std::io::Error::other(why));
        }
        self.times.sort_by(f64::total_cmp);
        let percentile = |percent: usize| self.times[(self.times.len() - 1) * percent / 100];
        Ok(json!({
            "requests": self.times.len(),
            "bytes": self.bytes,
            "microseconds": wall.as_secs_f64() * 1e6,
            "p50_us": percentile(50),
            "p99_us": percentile(99),
            "errors": self.errors,
            "resumed": self.resumed,
        }))
    }
}
