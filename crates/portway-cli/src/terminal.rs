//! Talking to people and to pipes.
//!
//! Results go to standard output, everything about them to standard error. Colours are written
//! always and taken out where there is no terminal or `NO_COLOR` is set.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use anstyle::{AnsiColor, Effects, Style};
use portway::config::{Colour, Problem, Texts, render, render_warnings};

/// The exit code for problems.
pub(crate) const PROBLEMS: u8 = 1;
/// The exit code for a wrong command line.
const USAGE: u8 = 2;

const BOLD: Style = Style::new().effects(Effects::BOLD);
const RED: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
const YELLOW: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);

/// The command line is wrong, not what it names.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\nFor more information, try '--help'.", self.0)
    }
}

impl Error for UsageError {}

/// Writes a result to standard output. A reader who has seen enough is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Lines under their headings, each column as wide as it must be.
pub(crate) fn columns(headings: &[&str], lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| Some(line.get(column)?.chars().count()));
        cells.max().unwrap_or_default().max(headings[column].len())
    };
    let widths = (0..headings.len()).map(width).collect::<Vec<_>>();
    let headings = headings.iter().map(ToString::to_string).collect::<Vec<_>>();
    let heading = format!("{BOLD}{}{BOLD:#}", padded(&headings, &widths));
    let lines = lines.iter().map(|line| padded(line, &widths));
    [heading].into_iter().chain(lines).map(|line| line + "\n").collect()
}

fn padded(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Says something that should be known though all goes on.
pub(crate) fn warn(message: &str) {
    say(&format!("{YELLOW}warning{YELLOW:#}: {message}\n"));
}

/// Says why it ends, and returns the exit code.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    say(&format!("{RED}error{RED:#}: {error:#}\n"));
    ExitCode::from(if error.is::<UsageError>() { USAGE } else { PROBLEMS })
}

/// Says all that is wrong with what is called `name`, and how much that is.
pub(crate) fn problems(name: &str, problems: &[Problem], texts: &Texts) {
    let report = render(problems, texts, Colour::Ansi);
    let count = plural(problems.len(), "problem");
    say(&format!("{report}\n{RED}{name}: {count}{RED:#}\n"));
}

/// Says what is worth saying about what is right.
pub(crate) fn warnings(warnings: &[Problem], texts: &Texts) {
    say(&render_warnings(warnings, texts, Colour::Ansi));
}

/// `1 route`, `2 routes`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

/// Writes to standard error. When that is closed nobody can be told.
fn say(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}
