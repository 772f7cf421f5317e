//! `cargo xtask test`: every check of the gate in one run, stage after stage, each with its
//! seconds. A stage that fails does not stop those that do not need it, so that one run shows all
//! problems. No figure of speed or memory is judged here: those belong to the benchmark.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

mod log;
mod packages;
mod stage;
mod stream;
mod tally;

use log::Log;
use stage::{STAGES, Stage};
use tally::Tally;

/// The gate allows 40 minutes; whoever adds tests should hear of it before that.
const SLOW: Duration = Duration::from_secs(30 * 60);

/// How much of the first failure is shown again below the table.
const LINES_AGAIN: usize = 80;

/// What to check.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The stages to run, in their own order; all when none is named
    #[arg(value_name = "STAGE", value_parser = stage_names(), hide_possible_values = false)]
    stages: Vec<&'static str>,
}

/// Runs the stages and says how each went.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let chosen = |stage: &&Stage| args.stages.is_empty() || args.stages.contains(&stage.name);
    let began = Instant::now();
    let mut reports: Vec<Report> = Vec::new();
    for stage in STAGES.iter().filter(chosen) {
        let report = perform(stage, &reports);
        reports.push(report);
    }
    let total = began.elapsed();

    println!("\n{}", table(&reports, total));
    if total > SLOW {
        println!("{}", warning(&reports, total));
    }
    if let Some((name, output)) = first_failure(&reports) {
        println!("\nThe first failure, in stage {name}, ended with:\n{output}");
    }
    if let Some(report) = reports.iter().find(|report| report.name == "test") {
        println!("{}", report.tally);
    }
    let failed = reports.iter().any(|report| report.outcome != Outcome::Passed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How one stage went.
#[derive(Debug)]
struct Report {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
    output: Vec<String>,
    tally: Tally,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// Not run, because the named stage failed.
    Skipped(&'static str),
}

/// Runs one stage, unless what it needs has failed.
fn perform(stage: &Stage, before: &[Report]) -> Report {
    let broken = before
        .iter()
        .find(|report| stage.needs.contains(&report.name) && report.outcome != Outcome::Passed);
    let began = Instant::now();
    let mut log = Log::open(stage.name, stage.title);
    let outcome = match broken {
        Some(report) => Outcome::Skipped(report.name),
        None => match (stage.run)(&mut log) {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                log.line(&format!("{error:#}"));
                Outcome::Failed
            }
        },
    };
    let took = began.elapsed();
    log.close(&verdict(&outcome), took);
    let (output, tally) = log.into_parts();
    Report { name: stage.name, outcome, took, output, tally }
}

fn verdict(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => "ok".to_owned(),
        Outcome::Failed => "FAILED".to_owned(),
        Outcome::Skipped(cause) => format!("skipped: {cause} failed"),
    }
}

fn table(reports: &[Report], total: Duration) -> String {
    let mut text = format!("{:<14}{:>9}  result\n", "stage", "seconds");
    for report in reports {
        let seconds = report.took.as_secs_f64();
        text += &format!("{:<14}{seconds:>9.1}  {}\n", report.name, verdict(&report.outcome));
    }
    text + &format!("{:<14}{:>9.1}", "all", total.as_secs_f64())
}

fn warning(reports: &[Report], total: Duration) -> String {
    let slowest = reports.iter().max_by_key(|report| report.took).map_or("none", |r| r.name);
    format!(
        "warning: {:.0} minutes are too many, the gate is cut off at 40; the slowest stage is {slowest}",
        total.as_secs_f64() / 60.0
    )
}

fn first_failure(reports: &[Report]) -> Option<(&'static str, String)> {
    let report = reports.iter().find(|report| report.outcome == Outcome::Failed)?;
    let skipped = report.output.len().saturating_sub(LINES_AGAIN);
    Some((report.name, report.output[skipped..].join("\n")))
}

/// The names of the stages, each with its title, so that `--help` explains them.
fn stage_names() -> impl TypedValueParser<Value = &'static str> {
    let values = STAGES.iter().map(|stage| PossibleValue::new(stage.name).help(stage.title));
    PossibleValuesParser::new(values).map(|name| {
        let stage = STAGES.iter().find(|stage| stage.name == name);
        stage.expect("clap accepts only names of this table").name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &'static str, outcome: Outcome, seconds: u64, output: &[&str]) -> Report {
        Report {
            name,
            outcome,
            took: Duration::from_secs(seconds),
            output: output.iter().map(|&line| line.to_owned()).collect(),
            tally: Tally::default(),
        }
    }

    #[test]
    fn the_table_has_the_seconds_of_each_stage() {
        let reports = [
            report("format", Outcome::Passed, 2, &[]),
            report("build", Outcome::Failed, 61, &[]),
            report("test", Outcome::Skipped("build"), 0, &[]),
        ];
        let expected = "\
stage           seconds  result
format              2.0  ok
build              61.0  FAILED
test                0.0  skipped: build failed
all                63.0";
        assert_eq!(table(&reports, Duration::from_secs(63)), expected);
    }

    #[test]
    fn a_stage_whose_need_failed_is_skipped() {
        let stage = Stage { name: "test", title: "tests", needs: &["build"], run: |_| Ok(()) };
        let broken = [report("build", Outcome::Failed, 1, &[])];
        assert_eq!(perform(&stage, &broken).outcome, Outcome::Skipped("build"));
        let sound = [report("build", Outcome::Passed, 1, &[])];
        assert_eq!(perform(&stage, &sound).outcome, Outcome::Passed);
        assert_eq!(perform(&stage, &[]).outcome, Outcome::Passed, "not asked for, so not needed");
    }

    #[test]
    fn a_stage_that_fails_says_why_in_its_output() {
        let stage = Stage {
            name: "format",
            title: "layout",
            needs: &[],
            run: |_| Err(anyhow::anyhow!("cause").context("rustfmt is missing")),
        };
        let report = perform(&stage, &[]);
        assert_eq!(report.outcome, Outcome::Failed);
        assert_eq!(report.output, ["rustfmt is missing: cause"]);
    }

    #[test]
    fn the_first_failure_is_shown_and_only_its_end() {
        let long: Vec<String> = (0..LINES_AGAIN + 5).map(|n| n.to_string()).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let reports = [
            report("format", Outcome::Passed, 1, &["fine"]),
            report("build", Outcome::Failed, 1, &long),
            report("arrows", Outcome::Failed, 1, &["second"]),
        ];
        let (name, output) = first_failure(&reports).unwrap();
        assert_eq!(name, "build");
        assert_eq!(output.lines().next(), Some("5"));
        assert_eq!(output.lines().count(), LINES_AGAIN);
    }

    #[test]
    fn the_warning_names_the_slowest_stage() {
        let reports =
            [report("build", Outcome::Passed, 900, &[]), report("test", Outcome::Passed, 960, &[])];
        assert_eq!(
            warning(&reports, Duration::from_secs(1860)),
            "warning: 31 minutes are too many, the gate is cut off at 40; the slowest stage is test"
        );
    }
}
