//! What a stage says while it runs: on a terminal a spinner with the last line and the elapsed
//! time, elsewhere every line as it comes. All of it is kept, for the report of a failure.

use std::{
    io::{IsTerminal, stderr, stdout},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::{stream, tally::Tally};

/// The output of one stage.
#[derive(Debug)]
pub(super) struct Log {
    name: &'static str,
    spinner: Option<ProgressBar>,
    output: Vec<String>,
    tally: Tally,
}

impl Log {
    /// Opens the log of the stage `name` and announces it.
    pub(super) fn open(name: &'static str, title: &str) -> Self {
        let spinner = (stdout().is_terminal() && stderr().is_terminal()).then(|| spinner(name));
        match &spinner {
            Some(bar) => bar.set_message(title.to_owned()),
            None => println!("== {name}: {title}"),
        }
        Self { name, spinner, output: Vec::new(), tally: Tally::default() }
    }

    /// Takes one line.
    pub(super) fn line(&mut self, text: &str) {
        self.tally.read(text);
        match &self.spinner {
            Some(bar) => {
                // The spinner owns one row of the terminal: control bytes would break it.
                let shown: String = text.chars().filter(|c| !c.is_control()).collect();
                if !shown.trim().is_empty() {
                    bar.set_message(shown.trim().to_owned());
                }
            }
            None => println!("{text}"),
        }
        self.output.push(text.to_owned());
    }

    /// Runs `command`, takes its output, and fails unless it succeeds.
    pub(super) fn run(&mut self, command: Command) -> anyhow::Result<()> {
        let title = title(&command);
        let status = stream::lines(command, |line| self.line(line))
            .with_context(|| format!("cannot start `{title}`"))?;
        if !status.success() {
            bail!("`{title}` failed: {status}");
        }
        Ok(())
    }

    /// The tests counted so far.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Ends the stage on the screen.
    pub(super) fn close(&self, verdict: &str, took: Duration) {
        let seconds = took.as_secs_f64();
        match &self.spinner {
            Some(bar) => {
                bar.finish_and_clear();
                println!("{:<14}{seconds:>9.1} s  {verdict}", self.name);
            }
            None => println!("== {}: {verdict}, {seconds:.1} s", self.name),
        }
    }

    /// Everything the stage said, and the tests among it.
    pub(super) fn into_parts(self) -> (Vec<String>, Tally) {
        (self.output, self.tally)
    }
}

fn spinner(name: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_prefix(name);
    let style = ProgressStyle::with_template("{spinner} {prefix:<12} {elapsed:>5}  {wide_msg}");
    bar.set_style(style.expect("the template is constant and tested"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// The command as a person would type it.
fn title(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_template_of_the_spinner_is_valid() {
        spinner("test").finish_and_clear();
    }

    #[test]
    fn lines_are_kept_and_counted() {
        let mut log = Log::open("test", "tests");
        log.run(shell("echo 'test result: ok. 2 passed; 0 failed; 0 ignored'")).unwrap();
        assert_eq!(log.tally().to_string(), "2 passed, 0 failed");
        let (output, _) = log.into_parts();
        assert_eq!(output, ["test result: ok. 2 passed; 0 failed; 0 ignored"]);
    }

    #[test]
    fn a_command_that_fails_is_named() {
        let mut log = Log::open("test", "tests");
        let error = log.run(shell("exit 3")).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed: exit status: 3");
    }

    #[test]
    fn a_command_that_cannot_start_is_named() {
        let mut log = Log::open("test", "tests");
        let error = log.run(Command::new("/nowhere/program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `program`");
    }
}
