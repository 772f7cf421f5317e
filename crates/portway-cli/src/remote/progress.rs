//! How far long work is, for whoever looks at a terminal.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// Work of fewer steps is done before anybody has read how far it is.
const FEW: usize = 50;

/// How far the work is. On anything but a terminal it says nothing.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Work of so many steps.
    pub(super) fn of(steps: usize, what: &'static str) -> Self {
        if steps < FEW || !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX)).with_message(what);
        Self(styled(bar, "{msg} {bar:30} {pos}/{len}"))
    }

    /// Work whose end is not known.
    pub(super) fn endless(what: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = styled(ProgressBar::new_spinner().with_message(what), "{spinner} {msg} {bytes}");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// One step was done.
    pub(super) fn advance(&self) {
        self.0.inc(1);
    }

    /// So many bytes went by.
    pub(super) fn bytes(&self, count: usize) {
        self.0.inc(u64::try_from(count).unwrap_or_default());
    }

    /// Takes it away.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
