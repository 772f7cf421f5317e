//! The load: what asks the programs as fast as answers come, and what it reports. One file for each
//! generator; which case takes which is told in `case.rs`.

mod ends;
mod h2load;
mod https;
mod wrk;

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::case::{Case, Load};
use super::machine::Machine;
use super::peers::debian;
use super::portway;
use super::progress::Progress;
use super::sandbox::{self, Answer, Sandbox};

/// Connections that ask at the same time, but for HTTP/2, which needs few.
pub(crate) const CONNECTIONS: u32 = 64;

/// What a generator saw in one run.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    /// Requests that were answered, or messages that came back.
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) microseconds: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Failed connects, reads, writes, answers that are no success, and answers that never came.
    pub(crate) errors: u64,
}

/// Makes sure that there is what the cases need.
pub(crate) fn ensure(cases: &[Case], progress: &Progress) -> anyhow::Result<()> {
    let needs = |wanted: fn(Load) -> bool| cases.iter().any(|case| wanted(case.load()));
    if needs(|load| matches!(load, Load::Wrk(_))) {
        debian("wrk", "wrk", progress).context("the benchmark cannot do without wrk")?;
    }
    if needs(|load| matches!(load, Load::H2load { .. })) {
        let found = debian("h2load", "nghttp2-client", progress);
        found.context("HTTP/2 cannot be measured without h2load")?;
    }
    if needs(|load| matches!(load, Load::Handshakes { .. } | Load::WebSocket)) {
        portway::ends(progress)?;
    }
    Ok(())
}

/// Loads one program for so many seconds.
pub(crate) fn run(
    machine: &Machine,
    sandbox: &Sandbox,
    case: Case,
    to: SocketAddr,
    seconds: u32,
) -> anyhow::Result<Seen> {
    let seen = match case.load() {
        Load::Wrk(script) => wrk::run(machine, case, script, to, seconds)?,
        Load::H2load { calls } => h2load::run(machine, sandbox, case, calls, to, seconds)?,
        Load::Handshakes { resumed } => ends::handshakes(machine, case, resumed, to, seconds)?,
        Load::WebSocket => ends::messages(machine, case, to, seconds)?,
    };
    // Of large answers, none may be complete within a short run.
    let worth = if case.counts_bytes() { seen.bytes } else { seen.requests };
    if worth == 0 {
        bail!("no {} was answered", case.unit());
    }
    Ok(seen)
}

/// Asks once; an error when what comes back is not what the case is about.
pub(crate) fn ask(
    machine: &Machine,
    sandbox: &Sandbox,
    case: Case,
    to: SocketAddr,
) -> anyhow::Result<()> {
    let answer = match case.load() {
        Load::H2load { calls } => return h2load::once(machine, sandbox, case, calls, to),
        Load::WebSocket => return ends::message(machine, case, to),
        Load::Wrk(_) | Load::Handshakes { .. } if !case.form().secure() => {
            sandbox::get(to, case.path())?
        }
        Load::Wrk(_) | Load::Handshakes { .. } => https::get(to, case.path())?,
    };
    if !answer.brought(usize::try_from(case.body())?) {
        let Answer { status, body, .. } = answer;
        bail!("GET {} was answered with {status} and {body} bytes", case.path());
    }
    Ok(())
}
