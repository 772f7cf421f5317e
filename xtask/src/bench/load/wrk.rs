//! wrk: one thread and 64 keep-alive connections of HTTP/1.1, with TLS or without.

use std::net::SocketAddr;

use anyhow::{Context, bail};

use super::{CONNECTIONS, Seen};
use crate::bench::case::Case;
use crate::bench::machine::Machine;
use crate::bench::priority::pinned;
use crate::workspace;

/// The word before the report of the scripts in `bench/wrk`.
const MARK: &str = "wrk-report ";

/// Loads one program for so many seconds.
pub(super) fn run(
    machine: &Machine,
    case: Case,
    script: &str,
    to: SocketAddr,
    seconds: u32,
) -> anyhow::Result<Seen> {
    let bench = workspace::root().join("bench");
    let scheme = if case.form().secure() { "https" } else { "http" };
    let output = pinned(machine.load)
        .args(["wrk", "-t1"])
        .arg(format!("-c{CONNECTIONS}"))
        .arg(format!("-d{seconds}s"))
        // An answer of 10 MB to all connections at once may take longer than wrk's two seconds.
        .args(["--timeout", "30s", "--latency", "--script", script])
        .arg(format!("{scheme}://{to}{}", case.path()))
        .env("OPENSSL_CONF", bench.join("wrk/openssl.cnf"))
        .current_dir(bench.join("wrk"))
        .output()
        .context("cannot run wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(report) = text.lines().find_map(|line| line.strip_prefix(MARK)) else {
        bail!("wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
    };
    serde_json::from_str(report).context("wrk's report is no JSON")
}
