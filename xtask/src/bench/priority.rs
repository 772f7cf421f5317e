//! The right of way: what a benchmark starts runs before other work where this process may ask
//! for it. Linux divides time first among sessions, so a `nice` value alone says little there.

use std::fs;
use std::process::Command;

/// Where Linux keeps the niceness of this session as a whole.
const SESSION: &str = "/proc/self/autogroup";
/// The strongest right of way.
const FIRST: &str = "-20";

/// Holds the right of way; dropping it gives it back.
pub(crate) struct Priority {
    before: Option<String>,
}

impl Priority {
    /// Asks for it. Without the permission the benchmark runs like everything else.
    pub(crate) fn raise() -> Self {
        // The file reads `/autogroup-8 nice 0`.
        let text = fs::read_to_string(SESSION).unwrap_or_default();
        let before = text.split_whitespace().last().map(str::to_owned);
        let raised = before.filter(|_| fs::write(SESSION, FIRST).is_ok());
        Self { before: raised }
    }
}

impl Drop for Priority {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // It ends with the session at the latest.
            drop(fs::write(SESSION, before));
        }
    }
}

/// The beginning of a command that runs on one core only and before others who want it. `nice`
/// warns and goes on where it has no permission.
pub(crate) fn pinned(core: usize) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", FIRST, "taskset", "-c"]).arg(core.to_string());
    command
}
