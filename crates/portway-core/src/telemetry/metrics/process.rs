//! What the system knows about this process, read from `/proc` when somebody asks.

use std::fs;

/// Clock ticks of a second in `/proc`. The kernel shows user space 100 on every architecture we
/// build for, whatever its own tick is.
const TICKS: u64 = 100;

/// What could be read: off Linux nothing, and the scrape leaves it out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) cpu_hundredths: Option<u64>,
    /// Since 1970.
    pub(super) started_hundredths: Option<u64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) virtual_bytes: Option<u64>,
    pub(super) open_fds: Option<u64>,
    pub(super) max_fds: Option<u64>,
}

impl Process {
    pub(super) fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let mut process = Self::parse(
            &text("/proc/self/stat"),
            &text("/proc/self/status"),
            &text("/proc/self/limits"),
            &text("/proc/stat"),
        );
        process.open_fds = fs::read_dir("/proc/self/fd").ok().and_then(|entries| {
            // The directory that is being read is one of them.
            u64::try_from(entries.count().saturating_sub(1)).ok()
        });
        process
    }

    fn parse(stat: &str, status: &str, limits: &str, system: &str) -> Self {
        // The second field is the name of the program in parentheses, in which anything may stand;
        // after its end comes the third.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let ticks = |number: usize| -> Option<u64> { fields.get(number - 3)?.parse().ok() };
        let cpu = ticks(14).zip(ticks(15)).map(|(user, system)| user + system);
        let boot = after(system, "btime").and_then(|text| text.parse::<u64>().ok());
        let started = boot.zip(ticks(22)).map(|(boot, since)| boot * TICKS + since);
        let kib = |name| Some(after(status, name)?.parse::<u64>().ok()? * 1024);
        Self {
            cpu_hundredths: cpu,
            started_hundredths: started,
            resident_bytes: kib("VmRSS:"),
            virtual_bytes: kib("VmSize:"),
            open_fds: None,
            max_fds: after(limits, "Max open files").and_then(|text| text.parse().ok()),
        }
    }
}

/// The first word after a line's beginning.
fn after<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(beginning))?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_may_be_anything() {
        let stat = "71 (a) (b 9) S 1 71 71 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 12345 1 2";
        let status = "Name:\ta) (b\nVmSize:\t   20 kB\nVmRSS:\t    8 kB\n";
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  4096  files\n";
        let expected = Process {
            cpu_hundredths: Some(300),
            started_hundredths: Some(1_700_000_000 * 100 + 12_345),
            resident_bytes: Some(8192),
            virtual_bytes: Some(20_480),
            open_fds: None,
            max_fds: Some(1024),
        };
        let system = "cpu  1 2 3\nbtime 1700000000\n";
        assert_eq!(Process::parse(stat, status, limits, system), expected);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let unlimited = "Max open files            unlimited            unlimited\n";
        assert_eq!(Process::parse("", "", unlimited, ""), Process::default());
        assert_eq!(Process::parse("1 (a) S 1", "VmRSS: x", "", "btime"), Process::default());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_alive() {
        let before = Process::read();
        let held = fs::File::open("/proc/self/stat").unwrap();
        assert!(before.resident_bytes.unwrap() > 100 * 1024);
        assert!(before.virtual_bytes >= before.resident_bytes);
        assert!(before.open_fds.unwrap() >= 3);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let age = now.as_secs() - before.started_hundredths.unwrap() / TICKS;
        assert!(age < 24 * 3600, "started {age} seconds ago");
        drop(held);
    }
}
