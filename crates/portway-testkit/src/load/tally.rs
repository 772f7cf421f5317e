//! What came of the requests.

use std::collections::BTreeMap;
use std::fmt;

/// What came of the requests of one load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// How many were answered as expected.
    pub ok: u64,
    /// How many failed, by what was wrong.
    pub failures: BTreeMap<String, u64>,
    /// How many connections were closed by the other side, whether a request failed by it or not.
    pub closed_connections: u64,
}

impl Tally {
    /// How many failed in all.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    pub(super) fn count(&mut self, result: Result<(), String>) {
        match result {
            Ok(()) => self.ok += 1,
            Err(reason) => *self.failures.entry(reason).or_default() += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ok, failed, closed) = (self.ok, self.failed(), self.closed_connections);
        write!(f, "{ok} ok, {failed} failed, {closed} connections closed")?;
        for (reason, count) in &self.failures {
            write!(f, "\n{count} x {reason}")?;
        }
        Ok(())
    }
}
