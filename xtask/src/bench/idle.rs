//! Portway without traffic: how long from its start until it is ready, and what it then holds.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::case::{Case, Form};
use super::contender::Place;
use super::instructions::read_answer;
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
/// A program that has just become ready, or idle, may still be giving memory back.
const SETTLE: Duration = Duration::from_secs(3);
/// Connections that have been served and are kept open.
const CONNECTIONS: usize = 10_000;

/// One configuration without traffic.
#[derive(Debug, Serialize)]
pub(crate) struct Idle {
    pub(crate) routes: usize,
    /// Connections that have had an answer and ask for nothing more.
    pub(crate) connections: usize,
    /// Milliseconds from the start of the process to a 200 from `/readyz`.
    pub(crate) ready_ms: Spread,
    pub(crate) rss_mib: Spread,
    pub(crate) pss_mib: Spread,
}

/// Starts Portway a few times with one route, with ten thousand, and with as many connections.
pub(crate) fn measure(
    machine: &Machine,
    sandbox: &Sandbox,
    progress: &Progress,
) -> anyhow::Result<Vec<Idle>> {
    type Prepare = fn(&Path, &Place<'_>) -> anyhow::Result<Command>;
    let program = portway::released("portway")?;
    let upstream = Upstream::start(machine, sandbox, Form::Plain)?;
    let forms: [(usize, usize, Prepare); 3] = [
        (1, 0, portway::one_route),
        (10_000, 0, portway::many_routes),
        (1, CONNECTIONS, portway::one_route),
    ];
    let steps = progress.steps("idle", forms.len() * STARTS);
    let mut outcome = Vec::new();
    for (routes, connections, prepare) in forms {
        let (mut ready, mut memory) = (Vec::new(), Vec::new());
        for start in 1..=STARTS {
            steps.begin(&format!("{routes} routes"));
            let folder = sandbox.path(&format!("idle-{routes}-{connections}-{start}"));
            std::fs::create_dir_all(&folder)?;
            let [listen, side] = free_ports()?;
            let place = Place {
                listen,
                side,
                upstream: upstream.address,
                form: Form::Plain,
                folder: &folder,
            };
            let command = prepare(&program, &place)?;
            let (milliseconds, held) = once(machine, &place, &command, connections)?;
            steps.end(&format!(
                "{routes} routes: ready after {milliseconds:.1} ms, {} KiB with {connections} \
                 connections",
                held.rss_kib
            ));
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
            outcome.push(Idle { routes, connections, ready_ms, rss_mib, pss_mib });
        }
    }
    Ok(outcome)
}

fn once(
    machine: &Machine,
    place: &Place<'_>,
    command: &Command,
    connections: usize,
) -> anyhow::Result<(f64, Memory)> {
    let probes: SocketAddr = portway::probes(place);
    let start = Instant::now();
    let mut process = Running::start("portway", machine.measured, command, place.folder)?;
    process.wait_until(PATIENCE, || {
        get(probes, "/readyz").ok().filter(|answer| answer.status == 200)
    })?;
    let ready = start.elapsed().as_secs_f64() * 1000.0;
    let _open = (0..connections)
        .map(|_| served_connection(place.listen))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let settled = Instant::now();
    process.wait_until(SETTLE * 2, || (settled.elapsed() >= SETTLE).then_some(()))?;
    Ok((ready, process.memory()?))
}

/// A connection that has had one answer.
fn served_connection(to: SocketAddr) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let path = Case::Idle.path();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {to}\r\n\r\n").as_bytes())?;
    read_answer(&mut stream, &mut [0; 8 * 1024])?;
    Ok(stream)
}
