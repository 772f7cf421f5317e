//! One case: every program gets its turn in every round, so that a slow minute of the machine
//! falls on all of them, and a ratio compares turns that lie seconds apart.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Serialize;

use super::Options;
use super::case::Case;
use super::contender::{Contender, Role, Started};
use super::load::{self, Seen};
use super::machine::{self, Machine};
use super::process::{Memory, empty_logs};
use super::progress::{Progress, Steps};
use super::sandbox::Sandbox;
use super::upstream::Upstream;

/// How long a program may take until it answers.
const START: Duration = Duration::from_secs(30);
/// Seconds of load before the first measured round of a program.
const WARM_UP: u32 = 1;
/// More foreign work than this on the measured core, and the turn is taken again.
const FOREIGN: f64 = 0.05;
/// How often a disturbed turn is taken again before its calmest try counts.
const AGAIN: usize = 2;

/// A case to be measured.
pub(crate) struct Run<'a> {
    pub(crate) case: Case,
    pub(crate) machine: &'a Machine,
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) options: &'a Options,
}

/// What came out of a case.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) case: &'static str,
    pub(crate) title: &'static str,
    /// What the processor time of a sample is for.
    pub(crate) unit: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// What came out for one program.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) program: String,
    pub(crate) role: Role,
    pub(crate) version: String,
    pub(crate) memory: Memory,
    pub(crate) samples: Vec<Sample>,
}

/// One turn of one program.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    /// Processor time of the program for one request, call, connection or message, in microseconds.
    pub(crate) cpu_us: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) errors: u64,
    /// The program's share of its core's time.
    pub(crate) busy: f64,
    /// The share of its core's time that others took.
    pub(crate) foreign: f64,
}

impl Run<'_> {
    /// Starts everybody, loads them in turn, stops everybody.
    pub(crate) fn measure(
        &self,
        contenders: &[Contender],
        progress: &Progress,
    ) -> anyhow::Result<Outcome> {
        let upstream = Upstream::start(self.machine, self.sandbox, self.case.form())?;
        let mut field = Vec::new();
        for contender in contenders.iter().filter(|one| (one.takes_part)(self.case)) {
            match self.start(contender, &upstream) {
                Ok(started) => field.push((contender, started, Vec::new())),
                Err(error) => progress.line(&format!("{} is skipped: {error:#}", contender.name)),
            }
        }
        let rounds = self.options.rounds();
        let steps = progress.steps(self.case.name(), field.len() * (rounds + 1));
        for round in 0..=rounds {
            for (contender, started, samples) in &mut field {
                steps.begin(&contender.name);
                let sample =
                    if round == 0 { self.turn(started, WARM_UP) } else { self.calm_turn(started) };
                let sample = sample.with_context(|| {
                    format!("{} failed in case {}", contender.name, self.case.name())
                })?;
                if round > 0 {
                    samples.push(sample);
                }
                say(&steps, self.case, &contender.name, round, &sample);
            }
        }
        let mut rows = Vec::new();
        for (contender, started, samples) in field {
            rows.push(Row {
                program: contender.name.clone(),
                role: contender.role,
                version: contender.version.clone(),
                memory: started.process.memory()?,
                samples,
            });
        }
        Ok(Outcome {
            case: self.case.name(),
            title: self.case.title(),
            unit: self.case.unit(),
            rows,
        })
    }

    /// Starts a program and sees that it answers what the upstream answers.
    fn start(&self, contender: &Contender, upstream: &Upstream) -> anyhow::Result<Started> {
        let folder = self.sandbox.path(&contender.name);
        let mut started =
            contender.start(self.machine, upstream.address, self.case.form(), folder)?;
        let listen = started.listen;
        let mut last = None;
        let answered = started.process.wait_until(START, || {
            // Some answer 404 or 503 until they have read their routes or met their upstream.
            last = load::ask(self.machine, self.sandbox, self.case, listen).err();
            last.is_none().then_some(())
        });
        match (answered, last) {
            (Ok(()), _) => {}
            (Err(error), Some(last)) => bail!("{error:#}; at last: {last:#}"),
            (Err(error), None) => return Err(error),
        }
        Ok(started)
    }

    /// A turn in which nobody else wanted the core, or the calmest of a few.
    fn calm_turn(&self, started: &Started) -> anyhow::Result<Sample> {
        let mut calmest = self.turn(started, self.options.seconds())?;
        for _ in 0..AGAIN {
            if calmest.foreign <= FOREIGN {
                break;
            }
            let again = self.turn(started, self.options.seconds())?;
            if again.foreign < calmest.foreign {
                calmest = again;
            }
        }
        Ok(calmest)
    }

    /// One turn of one program.
    fn turn(&self, started: &Started, seconds: u32) -> anyhow::Result<Sample> {
        let core = self.machine.measured;
        let (cpu, busy, begin) = (started.process.cpu()?, machine::busy()?, Instant::now());
        let seen = load::run(self.machine, self.sandbox, self.case, started.listen, seconds)?;
        let wall = begin.elapsed().as_secs_f64();
        let spent = started.process.cpu()?.since(&cpu).as_secs_f64();
        let busy_after = machine::busy()?;
        empty_logs(&started.folder)?;
        if seen.errors * 1000 > seen.requests {
            bail!("{} of {} requests failed", seen.errors, seen.requests);
        }
        let at_work = |reading: &std::collections::BTreeMap<usize, u64>| {
            reading.get(&core).copied().unwrap_or_default() as f64 / 100.0
        };
        let own = spent / wall;
        Ok(Sample {
            cpu_us: spent * 1e6 / self.answers(&seen),
            requests_per_second: self.answers(&seen) * 1e6 / seen.microseconds,
            p50_us: seen.p50_us,
            p99_us: seen.p99_us,
            errors: seen.errors,
            busy: own,
            foreign: ((at_work(&busy_after) - at_work(&busy)) / wall - own).max(0.0),
        })
    }

    /// How many answers a run was worth. Of large ones, those that were under way at its end
    /// count with the bytes that had come.
    fn answers(&self, seen: &Seen) -> f64 {
        if self.case.counts_bytes() {
            seen.bytes as f64 / self.case.body() as f64
        } else {
            seen.requests as f64
        }
    }
}

fn say(steps: &Steps, case: Case, name: &str, round: usize, sample: &Sample) {
    let round = if round == 0 { "warm-up".to_owned() } else { format!("round {round}") };
    let Sample { cpu_us, requests_per_second, .. } = sample;
    let unit = case.unit();
    steps.end(&format!("{round}, {name}: {cpu_us:.2} µs, {requests_per_second:.0} {unit}s/s"));
    if sample.foreign > FOREIGN {
        let share = sample.foreign * 100.0;
        steps.line(&format!("{round}, {name}: disturbed, others took {share:.0} % of its core"));
    }
}
