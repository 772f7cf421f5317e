//! Talking to people and to pipes.
//!
//! Results go to standard output, everything about them to standard error. Colours are written
//! always and taken out where there is no terminal or `NO_COLOR` is set.

use std::{
    error::Error,
    fmt, fs,
    io::{self, BufRead, BufReader, IsTerminal, Write},
    os::fd::AsFd,
    path::Path,
    process::ExitCode,
};

use anstyle::{AnsiColor, Effects, Style};
use portway::config::{Colour, Problem, Texts, render, render_warnings};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::remote::Failure;

/// The exit code for problems.
pub(crate) const PROBLEMS: u8 = 1;
/// The exit code for a wrong command line.
const USAGE: u8 = 2;
/// The exit code for differences that were asked for and found.
pub(crate) const DIFFERENT: u8 = 2;
/// The exit code for a gateway that cannot be asked.
const UNREACHABLE: u8 = 3;
/// The exit code for a gateway that does not know who asks, or does not let them.
const UNAUTHORISED: u8 = 4;

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

/// Says why the gateway could not be asked or will not, and returns the exit code.
pub(crate) fn refused(failure: &Failure) -> ExitCode {
    let code = match failure {
        Failure::Unreachable { .. } => UNREACHABLE,
        Failure::Refused(refusal) if matches!(refusal.status, 401 | 403) => UNAUTHORISED,
        Failure::Refused(_) | Failure::Foreign(_) | Failure::Local(_) => PROBLEMS,
    };
    say(&format!("{RED}error{RED:#}: {failure}\n"));
    match failure {
        Failure::Refused(refusal) => {
            loose_problems(&refusal.problems());
            if let Some(advice) = refusal.advice() {
                say(&format!("  {BOLD}hint{BOLD:#}: {advice}\n"));
            }
        }
        Failure::Unreachable { .. } => {
            say(&format!(
                "  {BOLD}hint{BOLD:#}: --admin says where the admin API of the gateway is\n"
            ));
        }
        Failure::Foreign(_) | Failure::Local(_) => {}
    }
    ExitCode::from(code)
}

/// Says what is wrong with something that stands in no file here.
pub(crate) fn loose_problems(problems: &[Problem]) {
    if !problems.is_empty() {
        say(&render(problems, &Texts::default(), Colour::Ansi));
    }
}

/// Says what is worth saying about something that stands in no file here.
pub(crate) fn loose_warnings(warnings: &[Problem]) {
    if !warnings.is_empty() {
        say(&render_warnings(warnings, &Texts::default(), Colour::Ansi));
    }
}

/// Says something about a result, beside it.
pub(crate) fn note(message: &str) {
    say(&format!("{message}\n"));
}

/// The first line of a file that may be a terminal. Of a terminal it is asked for, and not shown.
pub(crate) fn hidden_line(input: impl io::Read + AsFd, prompt: &str) -> io::Result<String> {
    let mut line = String::new();
    if rustix::termios::isatty(&input) {
        let shown = tcgetattr(&input)?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // Before anything is asked: whoever answers at once is not shown either.
        tcsetattr(&input, OptionalActions::Now, &hidden)?;
        let asked = io::stderr().write_all(prompt.as_bytes());
        let mut input = BufReader::new(input);
        let read = asked.and_then(|()| input.read_line(&mut line));
        tcsetattr(input.get_ref(), OptionalActions::Now, &shown)?;
        io::stderr().write_all(b"\n")?;
        read?;
    } else {
        BufReader::new(input).read_line(&mut line)?;
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks whoever sits at the terminal for a secret, wherever the standard streams lead.
pub(crate) fn ask_hidden(prompt: &str) -> anyhow::Result<String> {
    let terminal = fs::OpenOptions::new().read(true).write(true).open("/dev/tty");
    let Ok(terminal) = terminal else {
        let message = "there is no terminal to ask for the password: say --auth USER:PASSWORD, or \
                       set PORTWAY_AUTH";
        return Err(UsageError(message.to_owned()).into());
    };
    Ok(hidden_line(terminal, prompt)?)
}

/// Asks whoever sits at the terminal; `None` when nobody does.
pub(crate) fn confirmed(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    say(&format!("{question} [y/N] "));
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).ok()?;
    Some(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Says all that is wrong with what is called `name`, and how much that is.
pub(crate) fn problems(name: &str, problems: &[Problem], texts: &Texts) {
    let report = render(problems, texts, Colour::Ansi);
    let count = plural(problems.len(), "problem");
    say(&format!("{report}\n{RED}{name}: {count}{RED:#}\n"));
}

/// Says all that is wrong with one file.
pub(crate) fn file_problems(file: &Path, problems: &[Problem], text: &str) {
    // Standard input is called something else in its problems.
    let called = problems.iter().find_map(|problem| problem.place.as_ref());
    let texts = called.map_or_else(Texts::default, |place| Texts::of(&place.file, text));
    self::problems(&file.display().to_string(), problems, &texts);
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
