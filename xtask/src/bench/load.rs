//! The load: wrk, one thread and 64 keep-alive connections, and what it reports.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{case::Case, machine::Machine, peers::debian, priority::pinned, progress::Progress};
use crate::workspace;

/// Connections that ask at the same time.
pub(crate) const CONNECTIONS: u32 = 64;
/// The word before the report of the scripts in `bench/wrk`.
const MARK: &str = "wrk-report ";

/// What wrk saw in one run.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) microseconds: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Failed connects, reads, writes, answers that are no success, and answers that never came.
    pub(crate) errors: u64,
}

/// Makes sure that wrk can be run.
pub(crate) fn ensure_wrk(progress: &Progress) -> anyhow::Result<()> {
    debian("wrk", progress).context("the benchmark cannot do without wrk").map(drop)
}

/// Loads one program for so many seconds.
pub(crate) fn run(
    machine: &Machine,
    case: Case,
    to: SocketAddr,
    seconds: u32,
) -> anyhow::Result<Seen> {
    let output = pinned(machine.load)
        .args(["wrk", "-t1"])
        .arg(format!("-c{CONNECTIONS}"))
        .arg(format!("-d{seconds}s"))
        // An answer of 10 MB to all connections at once may take longer than wrk's two seconds.
        .args(["--timeout", "30s", "--latency", "--script", case.script()])
        .arg(format!("http://{to}{}", case.path()))
        .current_dir(workspace::root().join("bench/wrk"))
        .output()
        .context("cannot run wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(report) = text.lines().find_map(|line| line.strip_prefix(MARK)) else {
        bail!("wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
    };
    let seen: Seen = serde_json::from_str(report).context("wrk's report is no JSON")?;
    if seen.requests == 0 {
        bail!("no request was answered");
    }
    Ok(seen)
}
