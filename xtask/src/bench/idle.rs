//! Portway without traffic: how long from its start until it is ready, and what it then holds.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::contender::Place;
use super::machine::Machine;
use super::portway;
use super::process::{Memory, Running};
use super::progress::Progress;
use super::sandbox::{Sandbox, free_ports, get};
use super::statistics::Spread;
use super::upstream::Upstream;

/// Starts of each configuration.
const STARTS: usize = 5;
/// Longer than this and something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// A program that has just become ready may still be giving memory back.
const SETTLE: Duration = Duration::from_secs(1);

/// One configuration without traffic.
#[derive(Debug, Serialize)]
pub(crate) struct Idle {
    pub(crate) routes: usize,
    /// Milliseconds from the start of the process to a 200 from `/readyz`.
    pub(crate) ready_ms: Spread,
    pub(crate) rss_mib: Spread,
    pub(crate) pss_mib: Spread,
}

/// Starts Portway a few times with one route and with ten thousand.
pub(crate) fn measure(
    machine: &Machine,
    sandbox: &Sandbox,
    progress: &Progress,
) -> anyhow::Result<Vec<Idle>> {
    type Prepare = fn(&Path, &Place<'_>) -> anyhow::Result<Command>;
    let program = portway::released("portway");
    let upstream = Upstream::start(machine, sandbox)?;
    let forms: [(usize, Prepare); 2] = [(1, portway::one_route), (10_000, portway::many_routes)];
    let steps = progress.steps("idle", forms.len() * STARTS);
    let mut outcome = Vec::new();
    for (routes, prepare) in forms {
        let (mut ready, mut memory) = (Vec::new(), Vec::new());
        for start in 1..=STARTS {
            steps.begin(&format!("{routes} routes"));
            let folder = sandbox.path(&format!("idle-{routes}-{start}"));
            std::fs::create_dir_all(&folder)?;
            let [listen, side] = free_ports()?;
            let place = Place { listen, side, upstream: upstream.address, folder: &folder };
            let command = prepare(&program, &place)?;
            let (milliseconds, held) = once(machine, &place, &command)?;
            steps.end(&format!("{routes} routes: ready after {milliseconds:.1} ms"));
            ready.push(milliseconds);
            memory.push(held);
        }
        let mebibytes = |kib: fn(&Memory) -> u64| {
            Spread::of(memory.iter().map(|memory| kib(memory) as f64 / 1024.0))
        };
        let spreads = Spread::of(ready.iter().copied())
            .zip(mebibytes(|memory| memory.rss_kib))
            .zip(mebibytes(|memory| memory.pss_kib));
        if let Some(((ready_ms, rss_mib), pss_mib)) = spreads {
            outcome.push(Idle { routes, ready_ms, rss_mib, pss_mib });
        }
    }
    Ok(outcome)
}

fn once(machine: &Machine, place: &Place<'_>, command: &Command) -> anyhow::Result<(f64, Memory)> {
    let probes: SocketAddr = portway::probes(place);
    let start = Instant::now();
    let mut process = Running::start("portway", machine.measured, command, place.folder)?;
    process.wait_until(PATIENCE, || {
        get(probes, "/readyz").ok().filter(|answer| answer.status == 200)
    })?;
    let ready = start.elapsed().as_secs_f64() * 1000.0;
    let settled = Instant::now();
    process.wait_until(SETTLE * 2, || (settled.elapsed() >= SETTLE).then_some(()))?;
    Ok((ready, process.memory()?))
}
