//! A page of rates, and the screen on which it is renewed.

use std::{io, process::ExitCode};

use rustix::termios::tcgetwinsize;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

use super::{Rates, Sample, keys::Keys, rates::Rate, sample};
use crate::{
    remote::{
        args::{Sort, Top},
        client::Client,
    },
    terminal::{columns, print},
};

/// Another screen without a cursor, and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
/// To the corner; and what is below is wiped.
const HOME: &str = "\u{1b}[H";
const WIPE: &str = "\u{1b}[J";
/// The end of a line, with what stood behind it wiped.
const END: &str = "\u{1b}[K\n";

const CTRL_C: u8 = 3;

/// What is looked at, and how.
pub(super) struct Screen {
    sort: Sort,
    shows_services: bool,
    _alternate: Alternate,
}

/// The other screen of the terminal. It is left on drop.
struct Alternate;

impl Alternate {
    fn enter() -> io::Result<Self> {
        print(ENTER)?;
        Ok(Self)
    }
}

impl Drop for Alternate {
    fn drop(&mut self) {
        let _ = print(LEAVE);
    }
}

impl Screen {
    pub(super) fn sort_word(&self) -> &'static str {
        match self.sort {
            Sort::Requests => "requests",
            Sort::Errors => "errors",
            Sort::Latency => "latency",
            Sort::Name => "name",
        }
    }

    /// `false` when the key ends it.
    fn press(&mut self, key: u8) -> bool {
        match key {
            b'q' | b'Q' | CTRL_C => return false,
            b'r' => self.sort = Sort::Requests,
            b'e' => self.sort = Sort::Errors,
            b'l' => self.sort = Sort::Latency,
            b'n' => self.sort = Sort::Name,
            b's' => self.shows_services = !self.shows_services,
            _ => {}
        }
        true
    }

    fn draw(&self, client: &Client, last: &Sample, rates: &Rates) -> io::Result<()> {
        let (rows, width) = size();
        let mut rates = rates.clone();
        rates.sort(self.sort);
        // The summary and the headings have a line each; the last stays empty.
        rates.keep(Some(rows.saturating_sub(4)));
        let table = match self.shows_services {
            true => services(&rates.services),
            false => routes(&rates.routes),
        };
        let mut page = format!("{HOME}{}{END}{END}", cut(&self.summary(client, &last.data), width));
        for line in table.lines() {
            page += &format!("{}{END}", cut(line, width));
        }
        print(&(page + WIPE))
    }
}

/// Rows and columns of the terminal.
fn size() -> (usize, usize) {
    let size = tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_row > 0 && size.ws_col > 0);
    size.map_or((24, 80), |size| (size.ws_row.into(), size.ws_col.into()))
}

/// A line that does not wrap. Escapes take no room; only headings have them, at their ends.
fn cut(line: &str, width: usize) -> String {
    let (mut shown, mut room, mut in_escape) = (String::new(), width, false);
    for c in line.chars() {
        in_escape = in_escape || c == '\u{1b}';
        if in_escape {
            in_escape = !c.is_ascii_alphabetic();
            shown.push(c);
        } else if room > 0 {
            room -= 1;
            shown.push(c);
        }
    }
    shown
}

/// Draws until a key or a signal ends it.
pub(super) async fn follow(client: &Client, args: &Top) -> anyhow::Result<ExitCode> {
    // The first question tells what is wrong on the usual screen.
    let mut before = sample(client).await?;
    let mut keys = Keys::open()?;
    let mut screen =
        Screen { sort: args.sort, shows_services: false, _alternate: Alternate::enter()? };
    let (mut term, mut resized) =
        (signal(SignalKind::terminate())?, signal(SignalKind::window_change())?);
    let mut ticks = interval(args.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut rates = Rates::between(&before, &before);
    screen.draw(client, &before, &rates)?;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let now = sample(client).await?;
                rates = Rates::between(&before, &now);
                before = now;
            }
            key = keys.next() => match key {
                Some(key) if screen.press(key) => {}
                _ => return Ok(ExitCode::SUCCESS),
            },
            _ = resized.recv() => {}
            _ = term.recv() => return Ok(ExitCode::SUCCESS),
        }
        screen.draw(client, &before, &rates)?;
    }
}

/// Both tables, for a pipe.
pub(super) fn page(rates: &Rates) -> String {
    if rates.services.is_empty() {
        return routes(&rates.routes) + "\n";
    }
    format!("{}\n{}\n", routes(&rates.routes), services(&rates.services))
}

fn routes(rates: &[Rate]) -> String {
    let headings = ["ROUTE", "SERVICE", "REQ/S", "ERR/S", "IN FLIGHT", "P50", "P99", "REQUESTS"];
    let row = |rate: &Rate| {
        let mut cells = numbers(rate);
        cells.splice(0..0, [rate.name.clone(), rate.service.clone()]);
        cells
    };
    columns(&headings, &rates.iter().map(row).collect::<Vec<_>>())
}

fn services(rates: &[Rate]) -> String {
    let headings = ["SERVICE", "REQ/S", "ERR/S", "IN FLIGHT", "P50", "P99", "REQUESTS"];
    let row = |rate: &Rate| {
        let mut cells = numbers(rate);
        cells.insert(0, rate.name.clone());
        cells
    };
    columns(&headings, &rates.iter().map(row).collect::<Vec<_>>())
}

fn numbers(rate: &Rate) -> Vec<String> {
    vec![
        format!("{:.1}", rate.requests),
        format!("{:.1}", rate.errors),
        rate.in_flight.to_string(),
        latency(rate.p50),
        latency(rate.p99),
        rate.total.to_string(),
    ]
}

/// Seconds, as they are best read.
fn latency(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(seconds) if seconds < 0.001 => format!("{:.0}us", seconds * 1e6),
        Some(seconds) if seconds < 1.0 => format!("{:.1}ms", seconds * 1e3),
        Some(seconds) => format!("{seconds:.2}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_both_tables() {
        let rate = Rate {
            name: "a".to_owned(),
            service: "svc".to_owned(),
            requests: 12.34,
            p50: Some(0.0004),
            p99: Some(0.012),
            ..Rate::default()
        };
        let rates = Rates { routes: vec![rate.clone()], services: vec![rate] };
        assert_eq!(
            anstream::adapter::strip_str(&page(&rates)).to_string(),
            "ROUTE  SERVICE  REQ/S  ERR/S  IN FLIGHT  P50    P99     REQUESTS\n\
             a      svc      12.3   0.0    0          400us  12.0ms  0\n\n\
             SERVICE  REQ/S  ERR/S  IN FLIGHT  P50    P99     REQUESTS\n\
             a        12.3   0.0    0          400us  12.0ms  0\n\n"
        );
        assert_eq!(latency(Some(1.5)), "1.50s");
    }

    #[test]
    fn a_line_does_not_wrap() {
        assert_eq!(cut("\u{1b}[1mabcdef\u{1b}[0m", 3), "\u{1b}[1mabc\u{1b}[0m");
        assert_eq!(cut("ab", 3), "ab");
    }
}
