//! Instructions per request, counted by callgrind. Time on a shared machine wavers by more than a
//! small change is worth; the number of instructions does not. It says nothing about the kernel,
//! so it compares a program with itself before and after, hardly with others.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;

use super::case::{Case, Form};
use super::contender::{Contender, Place, Role};
use super::machine::Machine;
use super::peers::debian;
use super::process::Running;
use super::progress::Progress;
use super::sandbox::{Sandbox, free_ports, get};
use super::upstream::Upstream;

/// Connections that ask in step, so that the program finds several at a time as it does under load.
const CONNECTIONS: usize = 16;
/// Requests on each connection in the two runs: what they have in common cancels out.
const FEW: usize = 50;
const MANY: usize = 250;
/// Everything takes some fifty times as long.
const PATIENCE: Duration = Duration::from_secs(120);

/// What one program executes for one request.
#[derive(Debug, Serialize)]
pub(crate) struct Instructions {
    pub(crate) program: String,
    pub(crate) role: Role,
    pub(crate) per_request: f64,
}

/// Counts for the floor and for Portway, with one route.
pub(crate) fn measure(
    machine: &Machine,
    sandbox: &Sandbox,
    contenders: &[Contender],
    progress: &Progress,
) -> anyhow::Result<Vec<Instructions>> {
    debian("valgrind", "valgrind", progress)?;
    let upstream = Upstream::start(machine, sandbox, Form::Plain)?;
    let counted: Vec<&Contender> = contenders
        .iter()
        .filter(|one| one.role != Role::Peer && (one.takes_part)(Case::Instructions))
        .collect();
    let steps = progress.steps(Case::Instructions.name(), counted.len() * 2);
    let mut outcome = Vec::new();
    for contender in counted {
        let mut totals = [0.0; 2];
        for (total, requests) in totals.iter_mut().zip([FEW, MANY]) {
            steps.begin(&contender.name);
            let folder = sandbox.path(&format!("{}-{requests}", contender.role.name()));
            fs::create_dir_all(&folder)?;
            *total = count(machine, contender, upstream.address, &folder, requests)
                .with_context(|| format!("{} failed under callgrind", contender.name))?;
            let all = requests * CONNECTIONS;
            steps.end(&format!("{}: {total:.0} instructions, {all} requests", contender.name));
        }
        let between = (MANY - FEW) * CONNECTIONS;
        outcome.push(Instructions {
            program: contender.name.clone(),
            role: contender.role,
            per_request: (totals[1] - totals[0]) / between as f64,
        });
    }
    Ok(outcome)
}

/// All instructions of one run with so many requests on each connection.
fn count(
    machine: &Machine,
    contender: &Contender,
    upstream: SocketAddr,
    folder: &Path,
    requests: usize,
) -> anyhow::Result<f64> {
    let [listen, side] = free_ports()?;
    let place = Place { listen, side, upstream, form: Form::Plain, folder };
    let command = (contender.prepare)(&place)?;
    let result = folder.join("callgrind.out");
    let mut counted = Command::new("valgrind");
    counted.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", result.display()));
    counted.arg(command.get_program()).args(command.get_args());
    let mut process = Running::start(&contender.name, machine.measured, &counted, folder)?;
    let path = Case::Instructions.path();
    process
        .wait_until(PATIENCE, || get(listen, path).ok().filter(|answer| answer.status == 200))?;
    ask_in_step(listen, path, requests)?;
    process.stop(PATIENCE)?;
    let text = fs::read_to_string(&result)?;
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")));
    let total = total.and_then(|total| total.split_whitespace().next()?.parse().ok());
    total.context("callgrind left no total")
}

/// On every connection one request, then every answer, and again.
fn ask_in_step(listen: SocketAddr, path: &str, requests: usize) -> anyhow::Result<()> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(listen)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        connections.push(stream);
    }
    let request = format!("GET {path} HTTP/1.1\r\nHost: {listen}\r\n\r\n");
    let mut room = vec![0; 64 * 1024];
    for _ in 0..requests {
        for stream in &mut connections {
            stream.write_all(request.as_bytes())?;
        }
        for stream in &mut connections {
            read_answer(stream, &mut room)?;
        }
    }
    Ok(())
}

/// Reads one answer of the known body length.
pub(super) fn read_answer(stream: &mut TcpStream, room: &mut [u8]) -> anyhow::Result<()> {
    let body = usize::try_from(Case::Instructions.body())?;
    let mut filled = 0;
    loop {
        let read = stream.read(&mut room[filled..])?;
        if read == 0 {
            bail!("the connection was closed");
        }
        filled += read;
        let head = room[..filled].windows(4).position(|window| window == b"\r\n\r\n");
        if head.is_some_and(|end| filled >= end + 4 + body) {
            return Ok(());
        }
    }
}
