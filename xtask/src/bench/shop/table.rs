//! A report as Markdown.

use std::fmt::Write;

use super::field::{APIGATE, DIRECT};
use super::measure::{Cell, Report, Row, Sample};
use super::profile::Profile;
use crate::bench::statistics::{Spread, ratio};

/// The direct p99 is flat when its largest sample is at most so many times its smallest.
const FLAT: f64 = 2.0;

/// The tables of a report, with the machine above them and the versions below.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut text, report);
    text
}

fn write_report(text: &mut String, report: &Report) -> std::fmt::Result {
    let machine = &report.machine;
    writeln!(
        text,
        "Machine: {}, {} cores, {} MiB,",
        machine.cpu,
        machine.cores.len(),
        machine.memory_mib
    )?;
    writeln!(text, "{}, Linux {}.", machine.system, machine.kernel)?;
    writeln!(
        text,
        "Core {} for the gateway, {} for the upstreams, {} for the load;",
        machine.measured, machine.upstream, machine.load
    )?;
    writeln!(text, "{} rounds of {} s; began {}.", report.rounds, report.seconds, report.began)?;
    for profile in Profile::ALL {
        let cells: Vec<&Cell> =
            report.cells.iter().filter(|cell| cell.profile == profile.name()).collect();
        if !cells.is_empty() {
            write_profile(text, profile, &cells)?;
        }
    }
    writeln!(text, "\nVersions:\n")?;
    for (program, version) in &report.versions {
        writeln!(text, "- {program}: {version}")?;
    }
    Ok(())
}

fn write_profile(text: &mut String, profile: Profile, cells: &[&Cell]) -> std::fmt::Result {
    let answered = if profile == Profile::Ramp { "best second" } else { "answered/s" };
    writeln!(text, "\n### {}\n", profile.title())?;
    writeln!(
        text,
        "| route | program | asked/s | {answered} | CPU/1 000 (ms) | × apigate | p50 (ms) | p99 (ms) | × apigate | failed | dropped | under way | peak RSS (MiB) |"
    )?;
    writeln!(text, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    for cell in cells {
        for row in &cell.rows {
            write_row(text, profile, cell, row)?;
        }
    }
    Ok(())
}

fn write_row(text: &mut String, profile: Profile, cell: &Cell, row: &Row) -> std::fmt::Result {
    let gateway = row.program != DIRECT;
    let of = |value: fn(&Sample) -> f64| -> Vec<f64> { row.samples.iter().map(value).collect() };
    let theirs = cell.rows.iter().find(|one| one.program == APIGATE);
    let beside = |value: fn(&Sample) -> f64| {
        let theirs: Vec<f64> = theirs?.samples.iter().map(value).collect();
        ratio(&of(value), &theirs).map(|spread| wide(spread, 2))
    };
    let middle = |value, digits: usize| {
        Spread::of(of(value)).map_or_else(none, |spread| format!("{:.digits$}", spread.median))
    };
    let with_spread = |value, digits| Spread::of(of(value)).map_or_else(none, |s| wide(s, digits));
    let share = |value: fn(&Sample) -> u64| {
        let all: u64 = row.samples.iter().map(|sample| sample.seen.offered).sum();
        let these: u64 = row.samples.iter().map(value).sum();
        match these {
            0 => "0".to_owned(),
            these => format!("{:.2} %", these as f64 * 100.0 / all.max(1) as f64),
        }
    };
    let answered: fn(&Sample) -> f64 = match profile {
        Profile::Ramp => |sample| sample.seen.best_second as f64,
        Profile::Steady | Profile::Stress => |sample| sample.seen.rate,
    };
    let cpu: fn(&Sample) -> f64 = |sample| sample.cpu_ms;
    let p99: fn(&Sample) -> f64 = |sample| sample.seen.p99_us / 1000.0;
    let comparable = gateway && flat(cell);
    writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        cell.route,
        row.program,
        cell.rate,
        middle(answered, 0),
        if gateway { with_spread(cpu, 1) } else { none() },
        gateway.then(|| beside(cpu)).flatten().unwrap_or_else(none),
        middle(|sample| sample.seen.p50_us / 1000.0, 2),
        with_spread(p99, 2),
        comparable.then(|| beside(p99)).flatten().unwrap_or_else(none),
        share(|sample| sample.seen.failed),
        share(|sample| sample.seen.dropped),
        middle(|sample| sample.seen.connections as f64, 0),
        row.peak_kib.map_or_else(none, |kib| format!("{:.1}", kib as f64 / 1024.0)),
    )
}

/// Whether the ends alone answer evenly, so that what is uneven is the gateway's.
fn flat(cell: &Cell) -> bool {
    let direct = cell.rows.iter().find(|row| row.program == DIRECT);
    let p99 = direct.map(|row| row.samples.iter().map(|sample| sample.seen.p99_us));
    p99.and_then(Spread::of).is_some_and(|spread| spread.max <= FLAT * spread.min)
}

fn none() -> String {
    "–".to_owned()
}

/// A median with its spread: `1.25 (1.20–1.31)`.
fn wide(spread: Spread, digits: usize) -> String {
    let Spread { median, min, max } = spread;
    format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
}

#[cfg(test)]
mod tests {
    use super::{Cell, DIRECT, Profile, Row, Sample, flat, write_row};
    use crate::bench::shop::measure::Seen;

    fn row(program: &str, cpu_ms: f64, p99_us: [f64; 2]) -> Row {
        let sample = |p99_us| Sample {
            cpu_ms,
            busy: 0.5,
            foreign: 0.0,
            seen: Seen { offered: 100, answered: 99, failed: 1, p99_us, ..Seen::default() },
        };
        Row { program: program.to_owned(), peak_kib: None, samples: p99_us.map(sample).into() }
    }

    fn cell(direct: [f64; 2]) -> Cell {
        let rows = vec![
            row(DIRECT, 0.0, direct),
            row("portway", 20.0, [1000.0, 1000.0]),
            row("apigate", 40.0, [2000.0, 2000.0]),
        ];
        Cell { route: "items", profile: "steady", direct_peak: 10.0, rate: 3, rows }
    }

    #[test]
    fn a_p99_is_compared_only_where_the_direct_one_is_flat() {
        let line = |cell: &Cell| {
            let mut text = String::new();
            write_row(&mut text, Profile::Steady, cell, &cell.rows[1]).unwrap();
            text
        };
        let even = cell([500.0, 900.0]);
        assert!(flat(&even));
        assert_eq!(line(&even).matches("0.50 (0.50–0.50)").count(), 2, "{}", line(&even));
        let uneven = cell([500.0, 5000.0]);
        assert!(!flat(&uneven));
        assert_eq!(line(&uneven).matches("0.50 (0.50–0.50)").count(), 1, "{}", line(&uneven));
        assert!(line(&even).contains("| 1.00 % | 0 |"), "{}", line(&even));
    }
}
