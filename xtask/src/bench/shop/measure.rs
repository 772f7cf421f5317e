//! One cell: a route under a load. Every program gets its turn in every round, so that a slow
//! minute of the machine falls on all of them.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::field::{Contender, Ends, Field, Started};
use super::profile::{Profile, Route};
use crate::bench::machine::{self, Machine};
use crate::bench::priority::pinned;
use crate::bench::process::Running;
use crate::bench::progress::Progress;
use crate::bench::sandbox::Sandbox;
use crate::bench::statistics::Spread;

/// More foreign work than this on the measured core, and a steady turn is taken again.
const FOREIGN: f64 = 0.05;
/// How often.
const AGAIN: usize = 2;
/// Clients that ask one after another, to see what the ends can do.
const PEAK: &str = "peak:64:2";
/// How often that is looked at.
const LOOKS: usize = 3;

/// Everything a run has found out.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) began: String,
    pub(super) machine: Machine,
    pub(super) rounds: u32,
    pub(super) seconds: u32,
    pub(super) versions: Vec<(String, String)>,
    pub(super) cells: Vec<Cell>,
}

/// A route under a load.
#[derive(Debug, Serialize)]
pub(super) struct Cell {
    pub(super) route: &'static str,
    pub(super) profile: &'static str,
    /// What the ends can do without a gateway, a second.
    pub(super) direct_peak: f64,
    /// What was asked, a second; at the end of a ramp.
    pub(super) rate: u32,
    pub(super) rows: Vec<Row>,
}

/// What came out for one program.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) program: String,
    /// The most memory it has had in this cell. `None` without a gateway.
    pub(super) peak_kib: Option<u64>,
    pub(super) samples: Vec<Sample>,
}

/// One turn of one program.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sample {
    /// Processor time of the gateway for 1 000 good answers, in milliseconds of one core.
    pub(super) cpu_ms: f64,
    /// The gateway's share of its core's time.
    pub(super) busy: f64,
    /// The share of its core's time that others took.
    pub(super) foreign: f64,
    #[serde(flatten)]
    pub(super) seen: Seen,
}

/// What the load tells in the end, as `bench/shop` explains it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) offered: u64,
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
    pub(super) rate: f64,
    pub(super) best_second: u64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) max_us: f64,
    pub(super) late_p99_us: f64,
    pub(super) connections: u64,
    pub(super) given_up: bool,
    pub(super) last: Option<String>,
}

/// What all cells share.
pub(super) struct Run<'a> {
    pub(super) machine: &'a Machine,
    pub(super) sandbox: &'a Sandbox,
    pub(super) field: &'a Field,
    pub(super) ends: &'a Ends,
    pub(super) rounds: u32,
    pub(super) seconds: u32,
    pub(super) progress: &'a Progress,
}

impl Run<'_> {
    /// Good answers a second without a gateway, as fast as they come. Where a gateway asks two
    /// services, so does this.
    pub(super) fn direct_peak(&self, route: Route) -> anyhow::Result<f64> {
        let mut peak = self.peak(route.name(), self.ends.data)?;
        if route == Route::MyItems {
            let verify = self.peak("verify", self.ends.auth)?;
            peak = 1.0 / (1.0 / peak + 1.0 / verify);
        }
        self.progress.line(&format!("{}: the direct peak is {peak:.0} a second", route.name()));
        Ok(peak)
    }

    fn peak(&self, route: &str, to: SocketAddr) -> anyhow::Result<f64> {
        let looks = (0..LOOKS).map(|_| Ok(self.load(route, to, true, PEAK, "64")?.rate));
        let rates = looks.collect::<anyhow::Result<Vec<f64>>>()?;
        Ok(Spread::of(rates).context("the ends were looked at")?.median)
    }

    /// Starts everybody anew, loads them in turn, stops everybody.
    pub(super) fn measure(
        &self,
        route: Route,
        profile: Profile,
        peak: f64,
    ) -> anyhow::Result<Cell> {
        let mut field: Vec<(&Contender, Started, Vec<Sample>)> = Vec::new();
        for contender in &self.field.contenders {
            let started = contender.start(self.machine, self.sandbox, self.ends)?;
            field.push((contender, started, Vec::new()));
        }
        let title = format!("{}, {}", route.name(), profile.name());
        let steps = self.progress.steps(&title, field.len() * (self.rounds as usize + 1));
        for round in 0..=self.rounds {
            for (contender, started, samples) in &mut field {
                steps.begin(&contender.name);
                let sample = match round {
                    0 => self.turn(started, route, &Profile::Steady.pace(peak, 1), Profile::Steady),
                    _ => self.calm_turn(started, route, profile, peak),
                };
                let sample =
                    sample.with_context(|| format!("{} failed: {title}", contender.name))?;
                steps.end(&told(&contender.name, round, &sample));
                if round > 0 {
                    samples.push(sample);
                }
            }
        }
        let mut rows = Vec::new();
        for (contender, started, samples) in field {
            let peak_kib = started.process.as_ref().map(Running::peak).transpose()?;
            rows.push(Row { program: contender.name.clone(), peak_kib, samples });
        }
        Ok(Cell {
            route: route.name(),
            profile: profile.name(),
            direct_peak: peak,
            rate: profile.rate(peak),
            rows,
        })
    }

    /// A turn in which nobody else wanted the core, or the calmest of a few. Ramps and stress are
    /// taken as they come: a gateway without a break leaves nothing for others to take.
    fn calm_turn(
        &self,
        started: &Started,
        route: Route,
        profile: Profile,
        peak: f64,
    ) -> anyhow::Result<Sample> {
        let pace = profile.pace(peak, self.seconds);
        let mut calmest = self.turn(started, route, &pace, profile)?;
        for _ in 0..AGAIN {
            if profile != Profile::Steady || calmest.foreign <= FOREIGN {
                break;
            }
            let again = self.turn(started, route, &pace, profile)?;
            if again.foreign < calmest.foreign {
                calmest = again;
            }
        }
        Ok(calmest)
    }

    fn turn(
        &self,
        started: &Started,
        route: Route,
        pace: &str,
        profile: Profile,
    ) -> anyhow::Result<Sample> {
        let core = |reading: &std::collections::BTreeMap<usize, u64>| {
            reading.get(&self.machine.measured).copied().unwrap_or_default() as f64 / 100.0
        };
        let Some(process) = &started.process else {
            let seen = self.load(route.name(), started.address, true, pace, profile.most())?;
            return Ok(Sample { cpu_ms: 0.0, busy: 0.0, foreign: 0.0, seen });
        };
        let (cpu, busy, begin) = (process.cpu()?, machine::busy()?, Instant::now());
        let seen = self.load(route.name(), started.address, false, pace, profile.most())?;
        let wall = begin.elapsed().as_secs_f64();
        let spent = process.cpu()?.since(&cpu).as_secs_f64();
        let own = spent / wall;
        let at_work = (core(&machine::busy()?) - core(&busy)) / wall;
        Ok(Sample {
            cpu_ms: spent * 1e6 / seen.answered as f64,
            busy: own,
            foreign: (at_work - own).max(0.0),
            seen,
        })
    }

    fn load(
        &self,
        route: &str,
        to: SocketAddr,
        directly: bool,
        pace: &str,
        most: &str,
    ) -> anyhow::Result<Seen> {
        let way = if directly { "directly" } else { "gateway" };
        let output = pinned(self.machine.load)
            .arg(self.ends.program())
            .args(["load", &to.to_string(), route, way, pace, most])
            .output()
            .context("cannot run shop-ends")?;
        if !output.status.success() {
            bail!("the load failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).context("what the load tells is no JSON")
    }
}

fn told(name: &str, round: u32, sample: &Sample) -> String {
    let round = if round == 0 { "warm-up".to_owned() } else { format!("round {round}") };
    let Sample { cpu_ms, seen, busy, .. } = sample;
    let mut text = format!(
        "{round}, {name}: {:.0}/s, {cpu_ms:.1} ms/1 000, p99 {:.2} ms, {:.0} % busy",
        seen.rate,
        seen.p99_us / 1000.0,
        busy * 100.0
    );
    if seen.failed + seen.dropped > 0 {
        let last = seen.last.as_deref().unwrap_or("too many under way");
        text.push_str(&format!(", {} failed, {} dropped: {last}", seen.failed, seen.dropped));
    }
    if sample.foreign > FOREIGN {
        text.push_str(&format!(", others took {:.0} %", sample.foreign * 100.0));
    }
    text
}
