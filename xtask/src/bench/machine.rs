//! The machine the figures come from, and which of its cores does what.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Serialize;

/// A description that goes into every report.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    /// Cores this process may use, one for each physical core.
    pub(crate) cores: Vec<usize>,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    pub(crate) system: String,
    /// The core of the program under test.
    pub(crate) measured: usize,
    /// The core of the upstream.
    pub(crate) upstream: usize,
    /// The core of the load generator.
    pub(crate) load: usize,
}

impl Machine {
    /// Looks at the machine this runs on.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let allowed = field("/proc/self/status", "Cpus_allowed_list:")?;
        let cores: Vec<usize> =
            cpu_list(&allowed).into_iter().filter(|cpu| is_first(*cpu)).collect();
        // The measured program has a core of its own. The upstream and the load share one when
        // there are only two; the figures are processor time, so waiting for them costs nothing.
        let (load, upstream, measured) = match cores[..] {
            [load, upstream, .., measured] => (load, upstream, measured),
            [both, measured] => (both, both, measured),
            _ => bail!("the benchmark needs two cores, one of them for the program under test"),
        };
        let memory = field("/proc/meminfo", "MemTotal:")?;
        let memory_kib: u64 = memory.split(' ').next().unwrap_or_default().parse()?;
        Ok(Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|_| "unknown".to_owned()),
            cores,
            memory_mib: memory_kib / 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            system: field("/etc/os-release", "PRETTY_NAME=")
                .map_or_else(|_| "unknown".to_owned(), |name| name.trim_matches('"').to_owned()),
            measured,
            upstream,
            load,
        })
    }
}

/// How much time each core has been at work, in hundredths of a second.
pub(crate) fn busy() -> anyhow::Result<BTreeMap<usize, u64>> {
    let text = fs::read_to_string("/proc/stat")?;
    let mut busy = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.split_whitespace();
        let core = fields.next().and_then(|name| name.strip_prefix("cpu")?.parse().ok());
        let Some(core) = core else { continue };
        let times: Vec<u64> = fields.filter_map(|text| text.parse().ok()).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal: all but the waiting.
        let work = [0, 1, 2, 5, 6, 7].iter().filter_map(|index| times.get(*index)).sum();
        busy.insert(core, work);
    }
    Ok(busy)
}

/// The first line that a program prints when asked for its version.
pub(crate) fn version(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {name}"))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().map(str::trim).find(|line| line.contains(|c: char| c.is_ascii_digit()));
    let line = line.with_context(|| format!("{name} does not say its version"))?;
    // Some begin with the path they were started by, which is nobody else's.
    Ok(line.strip_prefix(&name).unwrap_or(line).trim().to_owned())
}

/// What follows `key` on its line of a file.
fn field(path: &str, key: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(key));
    let value = value.with_context(|| format!("no '{key}' in {path}"))?;
    Ok(value.trim_start_matches([' ', '\t', ':']).trim().to_owned())
}

/// Whether a CPU is the first thread of its physical core: two threads of one core slow each
/// other down.
fn is_first(cpu: usize) -> bool {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    let siblings = fs::read_to_string(path).unwrap_or_default();
    cpu_list(siblings.trim()).first().is_none_or(|first| *first == cpu)
}

/// `0-2,5` → 0, 1, 2, 5.
fn cpu_list(text: &str) -> Vec<usize> {
    let ranges = text.split(',').filter_map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        Some(from.trim().parse::<usize>().ok()?..=to.trim().parse::<usize>().ok()?)
    });
    ranges.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::cpu_list;

    #[test]
    fn a_cpu_list_may_hold_ranges() {
        assert_eq!(cpu_list("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(cpu_list("3"), [3]);
        assert!(cpu_list("").is_empty());
    }
}
