//! Counts what cargo's test runs say of themselves, over all test executables.

use std::fmt;

/// Tests that passed, failed and were left out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Tally {
    /// Adds a line of output if it is the closing line of a test executable:
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …`.
    pub(super) fn read(&mut self, line: &str) {
        let Some((_, counts)) =
            line.trim_start().strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Whether any test ran.
    pub(super) fn is_empty(self) -> bool {
        self.passed + self.failed == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} skipped", self.ignored)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> String {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        tally.to_string()
    }

    #[test]
    fn closing_lines_are_summed() {
        let output = "\
running 6 tests
test wire::reads_a_head ... ok
test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
   Doc-tests portway
test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 9 filtered out; finished in 1.20s
";
        assert_eq!(read(output), "7 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(
            read("test result of 5 passed; 3 failed\n5 passed; 0 failed"),
            "0 passed, 0 failed"
        );
    }

    #[test]
    fn a_run_without_tests_is_empty() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 0 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out");
        assert!(tally.is_empty());
        tally.read("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        assert!(!tally.is_empty());
    }
}
