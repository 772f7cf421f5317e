//! A program under measurement: started on its core, watched through `/proc`, stopped by its id.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;

use super::priority::pinned;
use super::sandbox::wait_for;

/// A tick of `/proc/PID/stat`: Linux reports processor time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);
/// How long a program may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A program that was started here; dropping it stops it.
pub(crate) struct Running {
    child: Child,
    output: PathBuf,
}

/// Processor time that a program and its children have used so far.
pub(crate) struct CpuReading {
    /// Nanoseconds on a core of each thread that lives.
    threads: BTreeMap<u32, u64>,
    /// User and system time, coarse, with that of threads that have ended.
    ticks: u64,
}

/// Memory of a program and its children.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Memory {
    pub(crate) rss_kib: u64,
    /// Shared pages divided among those who share them.
    pub(crate) pss_kib: u64,
}

impl Running {
    /// Starts `command` on one core; what it prints goes to `output.log` in its folder.
    pub(crate) fn start(
        name: &str,
        core: usize,
        command: &Command,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let output = folder.join("output.log");
        let log = File::options().create(true).append(true).open(&output)?;
        let mut pinned = pinned(core);
        pinned.arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            if let Some(value) = value {
                pinned.env(key, value);
            }
        }
        let child = pinned
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, output })
    }

    /// Waits until `ask` has an answer; an error when the program ends first.
    pub(crate) fn wait_until<T>(
        &mut self,
        limit: Duration,
        mut ask: impl FnMut() -> Option<T>,
    ) -> anyhow::Result<T> {
        let answer = wait_for(limit, Duration::from_millis(1), || {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}{}", self.last_words());
            }
            Ok(ask())
        })?;
        match answer {
            Some(answer) => Ok(answer),
            None => bail!("it did not answer within {limit:?}{}", self.last_words()),
        }
    }

    /// What the program and its children have used until now.
    pub(crate) fn cpu(&self) -> anyhow::Result<CpuReading> {
        let mut reading = CpuReading { threads: BTreeMap::new(), ticks: 0 };
        for pid in self.tree()? {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let fields = after_name(&stat);
            let field = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok());
            // Fields 14 and 15 of the line, counted from the state, which is the third.
            let (user, system) = field(11).zip(field(12)).context("cannot read /proc/PID/stat")?;
            reading.ticks += user + system;
            for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
                let path = entry?.path();
                let id = path.file_name().and_then(|name| name.to_str()?.parse().ok());
                let text = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
                let spent = text.split(' ').next().and_then(|text| text.parse().ok());
                if let (Some(id), Some(spent)) = (id, spent) {
                    reading.threads.insert(id, spent);
                }
            }
        }
        Ok(reading)
    }

    /// The memory of the program and its children.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let mut memory = Memory { rss_kib: 0, pss_kib: 0 };
        for pid in self.tree()? {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name))?;
                line.split_whitespace().next()?.parse::<u64>().ok()
            };
            memory.rss_kib += field("Rss:").context("no Rss in smaps_rollup")?;
            memory.pss_kib += field("Pss:").context("no Pss in smaps_rollup")?;
        }
        Ok(memory)
    }

    /// The most memory that the program alone has had until now, in KiB.
    pub(crate) fn peak(&self) -> anyhow::Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak.context("no VmHWM in /proc/PID/status")
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self, patience: Duration) -> anyhow::Result<()> {
        self.end(patience)
    }

    /// The polite end: masters take their workers with them, and reports are written.
    fn end(&mut self, patience: Duration) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().context("cannot run kill")?;
        let ended = wait_for(patience, Duration::from_millis(5), || Ok(self.child.try_wait()?))?;
        ended.map(drop).with_context(|| format!("it did not end within {patience:?}"))
    }

    /// The program's id and those of its children, theirs too.
    fn tree(&self) -> anyhow::Result<Vec<u32>> {
        let mut parents = BTreeMap::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            // A process that has just ended has no stat, and is none of ours.
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if let Some(parent) = after_name(&stat).get(1).and_then(|text| text.parse().ok()) {
                parents.insert(pid, parent);
            }
        }
        Ok(descendants(self.child.id(), &parents))
    }

    /// The end of what it printed, to explain why it failed.
    fn last_words(&self) -> String {
        let text = fs::read(&self.output).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(3)..];
        if last.is_empty() { String::new() } else { format!(": {}", last.join(" | ")) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.end(PATIENCE).is_err() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

impl CpuReading {
    /// The time between two readings: exact when no thread came or went, else in ticks.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        if self.threads.keys().eq(earlier.threads.keys()) {
            let spent = |reading: &Self| reading.threads.values().sum::<u64>();
            return Duration::from_nanos(spent(self).saturating_sub(spent(earlier)));
        }
        let ticks = self.ticks.saturating_sub(earlier.ticks);
        TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
    }
}

/// Empties every log of a folder; writers append, so they go on at the start of the file.
pub(crate) fn empty_logs(folder: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            OpenOptions::new().write(true).open(&path)?.set_len(0)?;
        }
    }
    Ok(())
}

/// The fields of `/proc/PID/stat` after the program's name, which may hold spaces and brackets.
fn after_name(stat: &str) -> Vec<&str> {
    stat.rsplit_once(')').map_or_else(Vec::new, |(_, rest)| rest.split_whitespace().collect())
}

fn descendants(root: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|&(_, &of)| of == parent).map(|(&pid, _)| pid));
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::{CpuReading, after_name, descendants};

    #[test]
    fn a_name_with_spaces_and_brackets_shifts_no_field() {
        let fields = after_name("17 (a ) b) S 1 17 17");
        assert_eq!(fields, ["S", "1", "17", "17"]);
    }

    #[test]
    fn children_of_children_count_and_strangers_do_not() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1)]);
        assert_eq!(descendants(2, &parents), [2, 3, 4]);
    }

    #[test]
    fn a_thread_that_ended_moves_the_reading_to_ticks() {
        let reading = |threads: &[(u32, u64)], ticks| CpuReading {
            threads: threads.iter().copied().collect(),
            ticks,
        };
        let before = reading(&[(1, 100), (2, 50)], 3);
        let same = reading(&[(1, 150), (2, 60)], 9);
        assert_eq!(same.since(&before), Duration::from_nanos(60));
        let fewer = reading(&[(1, 150)], 9);
        assert_eq!(fewer.since(&before), Duration::from_millis(60));
    }
}
