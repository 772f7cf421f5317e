//! `cargo xtask bench`: the side-by-side benchmark. It starts an upstream, the floor, Portway and
//! the peers that are there, each on the same core with one worker thread, loads them in turn and
//! prints what a request costs. `docs/benchmarks.md` explains the method. Nothing here is part of
//! the gate: figures of a machine that does other work say nothing.

mod case;
mod contender;
mod crowd;
mod docs;
mod idle;
mod instructions;
mod load;
mod machine;
mod measure;
mod peers;
mod portway;
mod priority;
mod process;
mod progress;
mod report;
pub(crate) mod sandbox;
mod shop;
pub(crate) mod statistics;
mod table;
mod template;
mod upstream;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use case::{Case, Form};
use contender::{Contender, Role};
use machine::Machine;
use priority::Priority;
use progress::Progress;
use report::Report;
use sandbox::Sandbox;

/// Rounds of `--quick`.
const QUICK_ROUNDS: usize = 3;

/// What to measure, and how long.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    other: Option<Other>,
    /// Peers to run beside the floor and Portway, or `none` [default: all that can be had]
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    peers: Vec<String>,
    /// Another executable of Portway to run beside this workspace's
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
    /// Neither build nor measure this workspace's Portway: the peers, or the executables of --also
    #[arg(long)]
    without_ours: bool,
    /// Cases to run [default: all]
    #[arg(long = "case", value_delimiter = ',', value_name = "CASE")]
    cases: Vec<Case>,
    /// Measured rounds of each program in each case
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of load in a round
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Count instructions per request as well, with callgrind
    #[arg(long)]
    callgrind: bool,
    /// Write the tables into docs/benchmarks.md
    #[arg(long)]
    write_docs: bool,
    /// A first look: three rounds of two seconds
    #[arg(long)]
    quick: bool,
}

/// Benchmarks that are laid out otherwise.
#[derive(Debug, Subcommand)]
enum Other {
    /// The public benchmark of `ApiGate` rebuilt: four routes under an open load
    Apigate(shop::Options),
}

impl Options {
    fn cases(&self) -> Vec<Case> {
        let mut cases = if self.cases.is_empty() { Case::ALL.to_vec() } else { self.cases.clone() };
        if self.callgrind && !cases.contains(&Case::Instructions) {
            cases.push(Case::Instructions);
        }
        cases
    }

    fn rounds(&self) -> usize {
        if self.quick { QUICK_ROUNDS } else { self.rounds as usize }
    }

    fn seconds(&self) -> u32 {
        if self.quick { self.seconds.min(2) } else { self.seconds }
    }
}

/// Runs the benchmark, prints the tables and saves every sample.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if let Some(Other::Apigate(options)) = &options.other {
        return shop::run(options);
    }
    let machine = Machine::here()?;
    let progress = Progress::new();
    let cases = options.cases();
    load::ensure(&cases, &progress)?;
    let mut contenders = Vec::new();
    if cases.iter().any(|case| case.form() == Form::Plain) {
        contenders.push(portway::floor(&progress)?);
    }
    // A tree whose Portway does not build can still measure the others; the run then fails.
    let ours = if options.without_ours { Ok(Vec::new()) } else { portway::portway(&progress) };
    let complete = ours.is_ok();
    match ours {
        Ok(ours) => contenders.extend(ours),
        Err(error) => progress.line(&format!("portway is skipped: {error:#}")),
    }
    for program in &options.also {
        contenders.push(portway::other(program)?);
    }
    contenders.extend(peers(options, &progress)?);
    let _first = Priority::raise();
    let mut report = Report::new(&machine, options.rounds(), options.seconds());
    for case in cases {
        let sandbox = Sandbox::new()?;
        match case {
            Case::Idle if complete && !options.without_ours => {
                report.idle = idle::measure(&machine, &sandbox, &progress)?;
            }
            Case::BasicAuthCrowd => {
                let rounds = (options.rounds(), options.seconds());
                if let Some(ours) = contenders.iter().find(|one| one.role == Role::Portway) {
                    report.crowd = crowd::measure(&machine, &sandbox, ours, rounds, &progress)?;
                }
            }
            Case::Idle => {}
            Case::Instructions => {
                report.instructions =
                    instructions::measure(&machine, &sandbox, &contenders, &progress)?;
            }
            Case::Get1k
            | Case::HalfLoad
            | Case::Get64k
            | Case::Get10m
            | Case::Post1k
            | Case::Routes10k
            | Case::Tls1k
            | Case::Tls10m
            | Case::HandshakeFull
            | Case::HandshakeResumed
            | Case::H2Get1k
            | Case::GrpcUnary
            | Case::WebSocket
            | Case::PluginHeaders
            | Case::PluginRateLimit
            | Case::PluginKeyAuth
            | Case::PluginJwt
            | Case::PluginChain => {
                let run = measure::Run { case, machine: &machine, sandbox: &sandbox, options };
                report.cases.push(run.measure(&contenders, &progress)?);
            }
        }
    }
    let tables = table::render(&report);
    let saved = report::save(&report.began, &report)?;
    println!("{tables}");
    if options.write_docs {
        docs::write(docs::SIDE_BY_SIDE, &tables)?;
    }
    progress.line(&format!("every sample: {}", saved.display()));
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The peers that were asked for and can be had.
fn peers(options: &Options, progress: &Progress) -> anyhow::Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    let all = &peers::ALL;
    let wanted: Vec<&str> = options.peers.iter().map(|name| name.trim()).collect();
    for name in wanted.iter().filter(|name| **name != "none") {
        if !all.iter().any(|peer| peer.name == *name) {
            let known: Vec<&str> = all.iter().map(|peer| peer.name).collect();
            bail!("no peer is called '{name}': there are {}", known.join(", "));
        }
    }
    for peer in all {
        if !wanted.is_empty() && !wanted.contains(&peer.name) {
            continue;
        }
        match (peer.find)(progress).with_context(|| format!("{} is skipped", peer.name)) {
            Ok(program) => contenders.push(program),
            Err(reason) => progress.line(&format!("{reason:#}")),
        }
    }
    Ok(contenders)
}
