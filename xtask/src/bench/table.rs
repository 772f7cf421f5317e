//! A report as Markdown.

use std::fmt::Write;

use super::case::Case;
use super::contender::Role;
use super::crowd;
use super::measure::{Outcome, Row, Sample};
use super::report::Report;
use super::statistics::{Spread, ratio};

/// The tables of a report, with the machine above them and the versions below.
pub(crate) fn render(report: &Report) -> String {
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
        "Core {} for the program under test, {} for the upstream, {} for the load; {} connections;",
        machine.measured, machine.upstream, machine.load, report.connections
    )?;
    writeln!(text, "{} rounds of {} s; began {}.", report.rounds, report.seconds, report.began)?;
    for outcome in &report.cases {
        write_case(text, outcome)?;
    }
    if !report.crowd.is_empty() {
        text.push_str(&crowd::table(&report.crowd));
    }
    write_idle(text, report)?;
    write_instructions(text, report)?;
    write_versions(text, report)
}

fn write_idle(text: &mut String, report: &Report) -> std::fmt::Result {
    if report.idle.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n### {} (`{}`)\n", Case::Idle.title(), Case::Idle.name())?;
    writeln!(text, "| routes | idle connections | ready after (ms) | RSS (MiB) | PSS (MiB) |")?;
    writeln!(text, "|--:|--:|--:|--:|--:|")?;
    for idle in &report.idle {
        let [ready, rss, pss] = [idle.ready_ms, idle.rss_mib, idle.pss_mib].map(|s| wide(s, 1));
        let (routes, connections) = (idle.routes, idle.connections);
        writeln!(text, "| {routes} | {connections} | {ready} | {rss} | {pss} |")?;
    }
    Ok(())
}

fn write_instructions(text: &mut String, report: &Report) -> std::fmt::Result {
    let floor = report.instructions.iter().find(|one| one.role == Role::Floor);
    let Some(floor) = floor.map(|floor| floor.per_request) else { return Ok(()) };
    let case = Case::Instructions;
    writeln!(text, "\n### {} (`{}`)\n", case.title(), case.name())?;
    writeln!(text, "| program | instructions/request outside the kernel | × floor |")?;
    writeln!(text, "|---|--:|--:|")?;
    for one in &report.instructions {
        let ratio = one.per_request / floor;
        writeln!(text, "| {} | {:.0} | {ratio:.2} |", one.program, one.per_request)?;
    }
    Ok(())
}

fn write_versions(text: &mut String, report: &Report) -> std::fmt::Result {
    let mut named: Vec<&Row> = Vec::new();
    for row in report.cases.iter().flat_map(|outcome| &outcome.rows) {
        if !named.iter().any(|known| known.version == row.version && known.role == row.role) {
            named.push(row);
        }
    }
    if named.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nVersions:\n")?;
    for row in named {
        writeln!(text, "- {}: {}", row.program, row.version)?;
    }
    Ok(())
}

fn write_case(text: &mut String, outcome: &Outcome) -> std::fmt::Result {
    writeln!(text, "\n### {} (`{}`)\n", outcome.title, outcome.case)?;
    let unit = outcome.unit;
    writeln!(
        text,
        "| program | CPU/{unit} (µs) | × floor | × best peer | {unit}s/s | p50 (ms) | p99 (ms) | RSS (MiB) | busy |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    let floor = outcome.rows.iter().find(|row| row.role == Role::Floor);
    let best = best_peer(outcome);
    for row in &outcome.rows {
        let to = |other: Option<&Row>| {
            let spread = other.and_then(|other| ratio(&cpu(row), &cpu(other)));
            spread.map_or_else(|| "–".to_owned(), |spread| wide(spread, 2))
        };
        let of = |value: fn(&Sample) -> f64| Spread::of(row.samples.iter().map(value));
        let middle = |value, digits| {
            of(value).map_or_else(String::new, |spread| format!("{:.digits$}", spread.median))
        };
        let spent = of(|sample| sample.cpu_us).map_or_else(String::new, |spread| wide(spread, 1));
        writeln!(
            text,
            "| {} | {spent} | {} | {} | {} | {} | {} | {:.1} | {} % |",
            row.program,
            to(floor),
            to(best),
            middle(|sample| sample.requests_per_second, 0),
            middle(|sample| sample.p50_us / 1000.0, 2),
            middle(|sample| sample.p99_us / 1000.0, 2),
            row.memory.rss_kib as f64 / 1024.0,
            middle(|sample| sample.busy * 100.0, 0),
        )?;
    }
    Ok(())
}

/// The peer that spends the least on a request.
fn best_peer(outcome: &Outcome) -> Option<&Row> {
    let median = |row: &Row| Spread::of(cpu(row)).map_or(f64::INFINITY, |spread| spread.median);
    let peers = outcome.rows.iter().filter(|row| row.role == Role::Peer);
    peers.min_by(|a, b| median(a).total_cmp(&median(b)))
}

fn cpu(row: &Row) -> Vec<f64> {
    row.samples.iter().map(|sample| sample.cpu_us).collect()
}

/// A median with its spread: `1.25 (1.20–1.31)`.
fn wide(spread: Spread, digits: usize) -> String {
    let Spread { median, min, max } = spread;
    format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
}

#[cfg(test)]
mod tests {
    use super::{best_peer, wide};
    use crate::bench::contender::Role;
    use crate::bench::measure::{Outcome, Row, Sample};
    use crate::bench::process::Memory;
    use crate::bench::statistics::Spread;

    fn row(program: &str, role: Role, cpu_us: f64) -> Row {
        let sample = Sample {
            cpu_us,
            requests_per_second: 1.0,
            p50_us: 1.0,
            p99_us: 1.0,
            errors: 0,
            busy: 1.0,
            foreign: 0.0,
        };
        Row {
            program: program.to_owned(),
            role,
            version: String::new(),
            memory: Memory { rss_kib: 1, pss_kib: 1 },
            samples: vec![sample],
        }
    }

    #[test]
    fn neither_the_floor_nor_portway_is_the_best_peer() {
        let rows = vec![
            row("floor", Role::Floor, 1.0),
            row("portway", Role::Portway, 2.0),
            row("slow", Role::Peer, 4.0),
            row("fast", Role::Peer, 3.0),
        ];
        let outcome = Outcome { case: "get-1k", title: "", unit: "request", rows };
        assert_eq!(best_peer(&outcome).map(|row| row.program.as_str()), Some("fast"));
    }

    #[test]
    fn a_spread_shows_its_ends() {
        assert_eq!(wide(Spread { median: 1.254, min: 1.2, max: 1.31 }, 2), "1.25 (1.20–1.31)");
    }
}
