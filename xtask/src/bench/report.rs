//! Everything a run has found out, and the file it is kept in.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde::Serialize;

use super::crowd::Round;
use super::idle::Idle;
use super::instructions::Instructions;
use super::load::CONNECTIONS;
use super::machine::Machine;
use super::measure::Outcome;
use crate::workspace;

/// One run of the benchmark.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// When it began: UTC, as `20261121T041119Z`.
    pub(crate) began: String,
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) seconds: u32,
    pub(crate) connections: u32,
    pub(crate) cases: Vec<Outcome>,
    pub(crate) crowd: Vec<Round>,
    pub(crate) idle: Vec<Idle>,
    pub(crate) instructions: Vec<Instructions>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(machine: &Machine, rounds: usize, seconds: u32) -> Self {
        Self {
            began: now(),
            machine: machine.clone(),
            rounds,
            seconds,
            connections: CONNECTIONS,
            cases: Vec::new(),
            crowd: Vec::new(),
            idle: Vec::new(),
            instructions: Vec::new(),
        }
    }
}

/// What time it is: UTC, as `20261121T041119Z`.
pub(crate) fn now() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    utc(now)
}

/// Writes a report as JSON, named after the time it began; returns the file's path.
pub(crate) fn save(began: &str, report: &impl Serialize) -> anyhow::Result<PathBuf> {
    let folder = workspace::root().join("bench/results");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{began}.json"));
    let text = serde_json::to_string_pretty(report)?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Seconds since 1970 as a compact UTC time stamp.
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days are counted from 1 March of year 0, so that the leap day ends its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn times_are_utc() {
        assert_eq!(utc(0), "19700101T000000Z");
        assert_eq!(utc(951_782_399), "20000228T235959Z");
        assert_eq!(utc(951_782_400), "20000229T000000Z");
        assert_eq!(utc(1_793_491_200), "20261101T000000Z");
    }
}
