//! `cargo xtask bench apigate`: the public benchmark of `ApiGate` rebuilt. Portway's program and
//! one on the crate `apigate` stand in turn before the same two upstreams, in the same four jobs,
//! under an open load whose rates are shares of what the ends can do without a gateway.
//! `bench/shop` is what runs; `docs/benchmarks.md` explains the method.

mod field;
mod measure;
mod profile;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{
    docs, machine::Machine, priority::Priority, progress::Progress, report, sandbox::Sandbox,
};
use field::{Ends, Field};
use measure::{Report, Run};
use profile::{Profile, Route};

/// Seconds of load with `--quick`.
const QUICK_SECONDS: u32 = 3;

/// What to measure, and how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Routes [default: all]
    #[arg(long = "route", value_delimiter = ',', value_name = "ROUTE")]
    routes: Vec<Route>,
    /// Loads [default: all]
    #[arg(long = "profile", value_delimiter = ',', value_name = "PROFILE")]
    profiles: Vec<Profile>,
    /// Another build of Portway's program to run beside this workspace's
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
    /// Measured rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of load in a round
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// A first look: three seconds of load in a round
    #[arg(long)]
    quick: bool,
    /// Write the tables into docs/benchmarks.md
    #[arg(long)]
    write_docs: bool,
}

/// Runs it, prints the tables and saves every sample.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let machine = Machine::here()?;
    let progress = Progress::new();
    let field = Field::build(&options.also, &progress)?;
    let all =
        |wanted: &[Route]| if wanted.is_empty() { Route::ALL.to_vec() } else { wanted.to_vec() };
    let profiles = match options.profiles.is_empty() {
        true => Profile::ALL.to_vec(),
        false => options.profiles.clone(),
    };
    let seconds = if options.quick { QUICK_SECONDS } else { options.seconds };
    let _first = Priority::raise();
    let sandbox = Sandbox::new()?;
    let ends = Ends::start(&machine, &sandbox, field.ends.clone())?;
    let run = Run {
        machine: &machine,
        sandbox: &sandbox,
        field: &field,
        ends: &ends,
        rounds: options.rounds,
        seconds,
        progress: &progress,
    };
    let mut report = Report {
        began: report::now(),
        machine: machine.clone(),
        rounds: options.rounds,
        seconds,
        versions: field.versions(),
        cells: Vec::new(),
    };
    for route in all(&options.routes) {
        let peak = run.direct_peak(route)?;
        for profile in &profiles {
            report.cells.push(run.measure(route, *profile, peak)?);
        }
    }
    let tables = table::render(&report);
    let saved = report::save(&format!("{}-apigate", report.began), &report)?;
    println!("{tables}");
    if options.write_docs {
        docs::write(docs::APIGATE, &tables)?;
    }
    progress.line(&format!("every sample: {}", saved.display()));
    Ok(ExitCode::SUCCESS)
}
