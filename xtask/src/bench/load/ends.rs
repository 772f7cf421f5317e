//! `bench/ends`: new connections with TLS, and messages of WebSocket.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{CONNECTIONS, Seen};
use crate::bench::case::Case;
use crate::bench::machine::Machine;
use crate::bench::portway::released;
use crate::bench::priority::pinned;

/// What is told of handshakes.
#[derive(Deserialize)]
struct Handshakes {
    #[serde(flatten)]
    seen: Seen,
    /// Those that resumed a session.
    resumed: u64,
}

/// Opens connections for so many seconds.
pub(super) fn handshakes(
    machine: &Machine,
    case: Case,
    resumed: bool,
    to: SocketAddr,
    seconds: u32,
) -> anyhow::Result<Seen> {
    let kind = if resumed { "resumed" } else { "full" };
    let path = case.path();
    let lanes = CONNECTIONS.to_string();
    let told =
        tell(machine, &["handshakes", kind, &to.to_string(), &lanes, &seconds.to_string(), path])?;
    let told: Handshakes = serde_json::from_str(&told).context("the report is no JSON")?;
    // The first connection of each lane has nothing to resume.
    let full = told.seen.requests.saturating_sub(told.resumed);
    if resumed && full > u64::from(CONNECTIONS) || !resumed && told.resumed > 0 {
        bail!("{} of {} handshakes were resumed", told.resumed, told.seen.requests);
    }
    Ok(told.seen)
}

/// Sends messages for so many seconds.
pub(super) fn messages(
    machine: &Machine,
    case: Case,
    to: SocketAddr,
    seconds: u32,
) -> anyhow::Result<Seen> {
    let told = websocket(machine, case, to, CONNECTIONS, seconds)?;
    serde_json::from_str(&told).context("the report is no JSON")
}

/// Sends one message.
pub(super) fn message(machine: &Machine, case: Case, to: SocketAddr) -> anyhow::Result<()> {
    websocket(machine, case, to, 1, 0).map(drop)
}

fn websocket(
    machine: &Machine,
    case: Case,
    to: SocketAddr,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<String> {
    let (to, connections, seconds) = (to.to_string(), connections.to_string(), seconds.to_string());
    tell(machine, &["messages", &to, &connections, &seconds, case.path()])
}

fn tell(machine: &Machine, arguments: &[&str]) -> anyhow::Result<String> {
    let output = pinned(machine.load).arg(released("ends")?).args(arguments).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
