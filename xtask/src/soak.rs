//! `cargo xtask soak`: the shipped executable under load for as long as one likes, with a reload
//! ten times a second. Leaks and rare faults show here; no gate waits that long.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use portway_testkit::{Client, DEADLINE, Echo, Load, Process, Signal, free_addr};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{bench::sandbox::Sandbox, workspace};

/// Between two changes of the configuration.
const RELOAD: Duration = Duration::from_millis(100);
/// How often memory is reported.
const PARTS: u32 = 5;
/// How often the gateway is asked whether it has taken a change.
const LOOK: Duration = Duration::from_millis(5);

/// What may be said after `cargo xtask soak`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long it goes on
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// Keep-alive connections that ask at the same time
    #[arg(long, value_name = "N", default_value_t = 16)]
    connections: usize,
}

/// One gateway while it is soaked.
struct Soaked {
    process: Process,
    web: SocketAddr,
    probes: SocketAddr,
    upstream: String,
    reloads: u64,
}

/// Builds the executable as it is shipped and soaks it.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let executable = workspace::shipped()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(soak(options, &executable))
}

async fn soak(options: &Options, executable: &Path) -> anyhow::Result<ExitCode> {
    let echo = Echo::start().await?;
    let sandbox = Sandbox::new()?;
    let file = sandbox.path("portway.yaml");
    let (web, probes) = (free_addr()?, free_addr()?);
    let upstream = echo.url();
    fs::write(&file, configuration(web, probes, &upstream, 0))?;
    let process = Process::start(executable, &["run", &file.display().to_string()], &[])?;
    process.wait_for_line(|line| line.contains(" serving ")).await?;
    let mut soaked = Soaked { process, web, probes, upstream, reloads: 0 };

    let load = Load::on(web).connections(options.connections).request(request).start();
    let part = Duration::from_secs(60) * options.minutes / PARTS;
    println!(
        "{:>9}  {:>11}  {:>8}  {:>7}  {:>9}  files",
        "time", "requests", "failures", "reloads", "memory"
    );
    let started = Instant::now();
    let mut outcome = Ok(());
    for number in 1..=PARTS {
        outcome = soaked.reload_until(&file, started + part * number).await;
        let tally = load.tally();
        println!(
            "{:>7} s  {:>11}  {:>8}  {:>7}  {:>5} KiB  {}",
            started.elapsed().as_secs(),
            tally.ok + tally.failed(),
            tally.failed(),
            soaked.reloads,
            soaked.process.rss_kib().unwrap_or_default(),
            soaked.process.open_files().unwrap_or_default(),
        );
        if outcome.is_err() {
            break;
        }
    }
    let tally = load.stop().await?;
    println!("{tally}");
    outcome?;
    soaked.process.signal(Signal::TERM)?;
    let status = soaked.process.wait_exit(DEADLINE * 2).await?;
    let well = tally.failed() == 0 && tally.closed_connections == 0 && status.success();
    if !well {
        eprintln!("{status}; the gateway said:\n{}", soaked.process.stderr().join("\n"));
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Soaked {
    /// Changes the file again and again, and waits for each change to be served.
    async fn reload_until(&mut self, file: &Path, end: Instant) -> anyhow::Result<()> {
        let probe = Client::h1(self.probes);
        let mut tick = interval(RELOAD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < end {
            tick.tick().await;
            self.reloads += 1;
            let fresh = file.with_extension("new");
            fs::write(&fresh, configuration(self.web, self.probes, &self.upstream, self.reloads))?;
            fs::rename(&fresh, file)?;
            // The first revision was the one before all reloads.
            let wanted = format!("portway_config_revision {}", self.reloads + 1);
            let asked = Instant::now();
            while !probe.get("/metrics").await?.text().lines().any(|line| line == wanted) {
                if asked.elapsed() > DEADLINE {
                    let said = self.process.stderr().join("\n");
                    bail!("reload {} is not served; the gateway said:\n{said}", self.reloads);
                }
                sleep(LOOK).await;
            }
        }
        Ok(())
    }
}

/// Bodies of all kinds, both ways.
fn request<B: From<String>>(number: u64) -> http::Request<B> {
    let (method, path, body) = match number % 4 {
        0 => ("GET", "/small", String::new()),
        1 => ("GET", "/large?bytes=100000", String::new()),
        2 => ("GET", "/chunks?bytes=10000&chunked", String::new()),
        _ => ("POST", "/upload", "body ".repeat(2000)),
    };
    let request = http::Request::builder().method(method).uri(path);
    request.body(B::from(body)).expect("a method and a path make a request")
}

fn configuration(web: SocketAddr, probes: SocketAddr, upstream: &str, number: u64) -> String {
    // What is said at the start is waited for; after that, a line for each reload says nothing.
    let level = if number == 0 { "info" } else { "warn" };
    format!(
        "listeners: [{{name: web, bind: \"{web}\"}}]\n\
         probes: {{bind: \"{probes}\"}}\n\
         log: {{level: {level}}}\n\
         access_log: {{path: /dev/null}}\n\
         services:\n\
         - name: up\n  url: {upstream}\n  labels: {{revision: \"{number}\"}}\n  \
           routes: [{{name: all, match: {{path: {{prefix: /}}}}}}]\n"
    )
}
