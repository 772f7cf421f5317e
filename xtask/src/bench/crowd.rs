//! A crowd that guesses passwords, and what others notice of it: one Portway with two routes, a
//! steady load on the one that asks for nothing, and on the other a hundred wrong passwords a
//! second, in turns with none.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::Serialize;

use super::case::Case;
use super::contender::{Contender, Started};
use super::load::{self, Seen};
use super::machine::{self, Machine};
use super::process::empty_logs;
use super::progress::Progress;
use super::sandbox::{PATIENCE, Sandbox, get};
use super::statistics::{Spread, ratio};
use super::upstream::Upstream;

/// Passwords tried in a second.
const RATE: u32 = 100;
/// Connections they come by: with a pause of two seconds on each, a late answer makes no gap.
const LANES: u32 = 2 * RATE;
/// Where a password is asked for.
const GUARDED: &str = "/guarded";

/// One round: the same load without the crowd and with it.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    quiet: Turn,
    crowd: Turn,
    /// Passwords that were hashed and found wrong, a second.
    wrong: f64,
    /// Passwords that were turned away unseen (429), a second.
    busy: f64,
}

/// What the load on the open route saw.
#[derive(Debug, Clone, Copy, Serialize)]
struct Turn {
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    /// The share of the measured core's time at which anybody was at work.
    at_work: f64,
}

/// Measures rounds of so many seconds twice.
pub(crate) fn measure(
    machine: &Machine,
    sandbox: &Sandbox,
    portway: &Contender,
    (rounds, seconds): (usize, u32),
    progress: &Progress,
) -> anyhow::Result<Vec<Round>> {
    let case = Case::BasicAuthCrowd;
    let upstream = Upstream::start(machine, sandbox, case.form())?;
    let folder = sandbox.path("crowd");
    let mut started = portway.start(machine, upstream.address, case.form(), folder)?;
    let listen = started.listen;
    started.process.wait_until(PATIENCE, || {
        get(listen, case.path()).ok().filter(|answer| answer.status == 200)
    })?;
    let steps = progress.steps(case.name(), rounds);
    let turn = |seconds| turn(machine, sandbox, &started, seconds);
    turn(1)?;
    let mut all = Vec::new();
    for round in 0..rounds {
        steps.begin(&format!("round {}", round + 1));
        // Whichever comes first has no advantage over all rounds.
        let before = if round % 2 == 0 { Some(turn(seconds)?) } else { None };
        let (crowd, wrong, busy) = {
            let guessing = Guessing::start(machine, listen);
            turn(1)?;
            let (begin, from) = (Instant::now(), guessing.counted());
            let crowd = turn(seconds)?;
            let (spent, to) = (begin.elapsed().as_secs_f64(), guessing.counted());
            guessing.stop()?;
            (crowd, (to.0 - from.0) as f64 / spent, (to.1 - from.1) as f64 / spent)
        };
        let quiet = match before {
            Some(quiet) => quiet,
            None => turn(seconds)?,
        };
        steps.end(&format!(
            "round {}: p99 {:.0} µs without, {:.0} µs with {wrong:.0} wrong and {busy:.0} refused \
             passwords a second",
            round + 1,
            quiet.p99_us,
            crowd.p99_us,
        ));
        all.push(Round { quiet, crowd, wrong, busy });
    }
    Ok(all)
}

fn turn(
    machine: &Machine,
    sandbox: &Sandbox,
    started: &Started,
    seconds: u32,
) -> anyhow::Result<Turn> {
    let core = |busy: &std::collections::BTreeMap<usize, u64>| {
        busy.get(&machine.measured).copied().unwrap_or_default() as f64 / 100.0
    };
    let (begin, before) = (Instant::now(), machine::busy()?);
    let case = Case::BasicAuthCrowd;
    let seen: Seen = load::run(machine, sandbox, case, started.listen, seconds)?;
    let at_work = (core(&machine::busy()?) - core(&before)) / begin.elapsed().as_secs_f64();
    empty_logs(&started.folder)?;
    anyhow::ensure!(seen.errors == 0, "{} of {} requests failed", seen.errors, seen.requests);
    Ok(Turn {
        requests_per_second: seen.requests as f64 * 1e6 / seen.microseconds,
        p50_us: seen.p50_us,
        p99_us: seen.p99_us,
        at_work,
    })
}

/// Those who guess, on the core of the load. They are stopped before the gateway is.
struct Guessing {
    counts: Arc<Counts>,
    lanes: Vec<JoinHandle<anyhow::Result<()>>>,
}

#[derive(Default)]
struct Counts {
    over: AtomicBool,
    wrong: AtomicU64,
    busy: AtomicU64,
}

impl Guessing {
    fn start(machine: &Machine, to: SocketAddr) -> Self {
        let counts = Arc::<Counts>::default();
        let (begin, core) = (Instant::now(), machine.load);
        let lane = |number| {
            let counts = Arc::clone(&counts);
            thread::spawn(move || lane(number, begin, core, to, &counts))
        };
        Self { lanes: (0..LANES).map(lane).collect(), counts }
    }

    /// The wrong ones and those turned away.
    fn counted(&self) -> (u64, u64) {
        (self.counts.wrong.load(Relaxed), self.counts.busy.load(Relaxed))
    }

    fn stop(self) -> anyhow::Result<()> {
        self.counts.over.store(true, Relaxed);
        for lane in self.lanes {
            lane.thread().unpark();
            lane.join().map_err(|_| anyhow::anyhow!("one who guesses panicked"))??;
        }
        Ok(())
    }
}

/// One who guesses every two seconds, another password each time.
fn lane(
    number: u32,
    begin: Instant,
    core: usize,
    to: SocketAddr,
    counts: &Counts,
) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set)?;
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let each = Duration::from_secs(1) / RATE;
    for guess in 0.. {
        let due = begin + each * (number + guess * LANES);
        while !counts.over.load(Relaxed) && Instant::now() < due {
            thread::park_timeout(due.saturating_duration_since(Instant::now()));
        }
        if counts.over.load(Relaxed) {
            break;
        }
        match ask(&mut stream, to, &password(number + guess * LANES))? {
            401 => counts.wrong.fetch_add(1, Relaxed),
            429 => counts.busy.fetch_add(1, Relaxed),
            other => anyhow::bail!("a wrong password was answered with {other}"),
        };
    }
    Ok(())
}

/// `alice:` and six digits, in base64. Two sets of three bytes each make no padding.
fn password(number: u32) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = format!("{:06}", number % 1_000_000);
    let coded = digits.as_bytes().chunks(3).flat_map(|three| {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift & 63) as usize]))
    });
    format!("YWxpY2U6{}", coded.collect::<String>())
}

/// The status of the answer, whose length is told.
fn ask(stream: &mut TcpStream, to: SocketAddr, pair: &str) -> anyhow::Result<u16> {
    write!(stream, "GET {GUARDED} HTTP/1.1\r\nHost: {to}\r\nAuthorization: Basic {pair}\r\n\r\n")?;
    let (mut room, mut filled) = ([0; 4096], 0);
    loop {
        let read = stream.read(&mut room[filled..])?;
        anyhow::ensure!(read > 0, "the connection was closed");
        filled += read;
        let Some(end) = room[..filled].windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&room[..end]).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.context("an answer without its length")?.parse()?;
        if filled >= end + 4 + length {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
            return status.context("no status in the answer");
        }
    }
}

/// The table of the rounds.
pub(crate) fn table(rounds: &[Round]) -> String {
    let column = |value: fn(&Turn) -> f64| {
        let of = |turn: fn(&Round) -> Turn| rounds.iter().map(|r| value(&turn(r))).collect();
        let both: [Vec<f64>; 2] = [of(|round| round.quiet), of(|round| round.crowd)];
        both
    };
    let shown = |spread: Option<Spread>, digits: usize| {
        spread.map_or_else(String::new, |Spread { median, min, max }| {
            format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
        })
    };
    let (p50, p99) = (column(|turn| turn.p50_us / 1000.0), column(|turn| turn.p99_us / 1000.0));
    let (rate, work) = (column(|turn| turn.requests_per_second), column(|turn| turn.at_work));
    let mut text = format!(
        "\n### {} (`{}`)\n\n\
         | passwords | requests/s | p50 (ms) | p99 (ms) | p99 × quiet | core at work |\n\
         |---|--:|--:|--:|--:|--:|\n",
        Case::BasicAuthCrowd.title(),
        Case::BasicAuthCrowd.name()
    );
    for (at, who) in ["none", "100 wrong ones a second"].into_iter().enumerate() {
        let middle = |of: &[f64]| Spread::of(of.iter().copied());
        let times = if at == 0 { "1".to_owned() } else { shown(ratio(&p99[1], &p99[0]), 2) };
        text.push_str(&format!(
            "| {who} | {} | {} | {} | {times} | {} |\n",
            shown(middle(&rate[at]), 0),
            shown(middle(&p50[at]), 2),
            shown(middle(&p99[at]), 2),
            shown(middle(&work[at]), 2),
        ));
    }
    let middle = |of: fn(&Round) -> f64| shown(Spread::of(rounds.iter().map(of)), 0);
    text.push_str(&format!(
        "\nOf the passwords {} a second were hashed, {} a second were turned away (429).\n",
        middle(|round| round.wrong),
        middle(|round| round.busy)
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::password;

    #[test]
    fn no_two_guesses_are_alike() {
        assert_eq!(password(0), "YWxpY2U6MDAwMDAw");
        assert_eq!(password(123_456), "YWxpY2U6MTIzNDU2");
    }
}
