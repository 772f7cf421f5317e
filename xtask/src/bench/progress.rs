//! What the person who waits sees: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows the step at work. All of it goes to stderr; the tables alone go to stdout.
pub(crate) struct Progress {
    terminal: bool,
}

/// The steps of one case.
pub(crate) struct Steps {
    bar: Option<ProgressBar>,
    title: String,
}

impl Progress {
    /// Looks at stderr once.
    pub(crate) fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    /// Says one thing.
    pub(crate) fn line(&self, text: &str) {
        eprintln!("{text}");
    }

    /// Begins a series of steps.
    pub(crate) fn steps(&self, title: &str, count: usize) -> Steps {
        let bar = self.terminal.then(|| {
            let bar = ProgressBar::new(count as u64);
            let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {eta} {msg}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.set_prefix(title.to_owned());
            bar.enable_steady_tick(Duration::from_secs(1));
            bar
        });
        if bar.is_none() {
            eprintln!("{title}: {count} steps");
        }
        Steps { bar, title: title.to_owned() }
    }
}

impl Steps {
    /// The step that begins now.
    pub(crate) fn begin(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    /// The step has ended, with this outcome.
    pub(crate) fn end(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => eprintln!("{}: {text}", self.title),
        }
    }

    /// A line that stays.
    pub(crate) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
