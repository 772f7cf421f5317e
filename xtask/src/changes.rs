//! `cargo xtask changes`: how fast the shipped executable takes changes through its admin API, with
//! many routes, under load, and what it needs for that. It prints and judges nothing.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use http::{Method, Request};
use portway_testkit::{Client, Echo, Load, Process, free_addr};
use serde_json::{Value, json};

use crate::{
    bench::{sandbox::Sandbox, statistics::percentile},
    workspace,
};

/// How long a change may take: far longer than anybody would wait.
const PATIENCE: Duration = Duration::from_secs(120);
/// Routes are spread over so many hosts, and lead to so many services.
const HOSTS: usize = 100;
/// How often what takes long is repeated.
const REPEATS: usize = 5;

/// What may be said after `cargo xtask changes`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Routes in the store
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    routes: usize,
    /// Routes that are written one by one
    #[arg(long, value_name = "N", default_value_t = 200)]
    changes: usize,
    /// Keep-alive connections that ask at the same time
    #[arg(long, value_name = "N", default_value_t = 2)]
    connections: usize,
    /// An executable that was built before, in place of a fresh one
    #[arg(long, value_name = "FILE")]
    executable: Option<PathBuf>,
}

/// Builds the executable as it is shipped and changes its routes.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let executable = match &options.executable {
        Some(executable) => executable.clone(),
        None => workspace::shipped()?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let disk = workspace::metadata()?.target_directory.into_std_path_buf().join("changes");
    let memory = Sandbox::new()?;
    for (place, folder) in [("memory", memory.path("data")), ("a disk", disk)] {
        println!("the store on {place}: {}", folder.display());
        runtime.block_on(measure(options, &executable, &folder))?;
        fs::remove_dir_all(&folder)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A gateway whose routes are changed.
struct Changed {
    process: Process,
    web: SocketAddr,
    admin: Client,
    token: String,
}

async fn measure(options: &Options, executable: &Path, folder: &Path) -> anyhow::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Changed::start(executable, folder, &echo.url()).await?;
    gateway.show("at the start", "");

    let all: Vec<_> = (0..options.routes).map(|number| named(number, 0)).collect();
    let all = json!({ "routes": all });
    let took = gateway.ask(Method::POST, "/apply", Some(&all)).await?.1;
    gateway.show(&format!("a batch of {} routes", options.routes), &shown(took));

    let load = Load::on(gateway.web)
        .connections(options.connections)
        .request(|number| {
            let (host, path) = address(usize::try_from(number).unwrap_or_default() % HOSTS);
            let request = Request::get(path).header("host", host);
            request.body(http_body_util::Full::default()).expect("a path and a host make a request")
        })
        .start();
    for (what, query) in [("dry runs", "?dry_run=true"), ("changes", "")] {
        let times = gateway.change(options, query).await?;
        gateway.show(&format!("{} {what} of one route", options.changes), &spread(&times));
    }
    let tally = load.stop().await?;
    println!("  meanwhile: {tally}");

    for (what, path) in [
        ("the history, 100 changes", "/revisions?limit=100".to_owned()),
        ("the change of all routes", "/revisions/1".to_owned()),
        ("the difference to the first change", "/diff?from=1".to_owned()),
    ] {
        let mut times = Vec::new();
        for _ in 0..REPEATS {
            times.push(gateway.ask(Method::GET, &path, None).await?.1);
        }
        gateway.show(what, &spread(&times));
    }
    Ok(())
}

impl Changed {
    async fn start(executable: &Path, folder: &Path, upstream: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let (web, admin) = (free_addr()?, free_addr()?);
        let file: PathBuf = folder.join("portway.yaml");
        let services: Vec<_> = (0..HOSTS)
            .map(|number| json!({ "name": format!("s{number}"), "url": upstream }))
            .collect();
        let config = json!({
            "listeners": [{ "name": "web", "bind": web }],
            "probes": { "bind": free_addr()? },
            "admin": { "bind": admin },
            "store": { "directory": folder.join("data") },
            "access_log": { "path": "/dev/null" },
            "services": services,
        });
        fs::write(&file, config.to_string())?;
        let process = Process::start(executable, &["run", &file.display().to_string()], &[])?;
        let token = process.wait_for_line(|line| line.trim().starts_with("pwt_")).await?;
        process.wait_for_line(|line| line.contains(" serving ")).await?;
        let admin = Client::h1(admin).with_deadline(PATIENCE);
        let mut gateway = Self { process, web, admin, token: token.trim().to_owned() };
        // The first token is good for this alone.
        let wanted = json!({ "name": "changes", "role": "admin" });
        let made = gateway.ask(Method::POST, "/tokens", Some(&wanted)).await?.0;
        made["data"]["token"].as_str().context("no token")?.clone_into(&mut gateway.token);
        Ok(gateway)
    }

    /// Writes routes here and there, one after the other.
    async fn change(&self, options: &Options, query: &str) -> anyhow::Result<Vec<Duration>> {
        let mut times = Vec::new();
        for round in 1..=options.changes {
            // A prime, so that they are spread over all.
            let number = (round * 7919) % options.routes;
            let path = format!("/routes/r{number}{query}");
            times.push(self.ask(Method::PUT, &path, Some(&route(number, round))).await?.1);
        }
        Ok(times)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(Value, Duration)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let started = Instant::now();
        let response = self.admin.request(request.body(body)?).await?;
        let took = started.elapsed();
        if !response.status.is_success() {
            bail!("{path} was answered with {}: {}", response.status, response.text());
        }
        Ok((response.json()?, took))
    }

    /// A line of the report.
    fn show(&self, what: &str, figures: &str) {
        let memory = self.process.rss_kib().unwrap_or_default() / 1024;
        println!("  {what:<36} {figures:<34} memory {memory:>4} MiB");
    }
}

/// Where a route is reached.
fn address(number: usize) -> (String, String) {
    (format!("h{}.example", number % HOSTS), format!("/r{number}"))
}

fn route(number: usize, round: usize) -> Value {
    let (host, path) = address(number);
    json!({
        "labels": { "round": round.to_string() },
        "match": { "hosts": [host], "path": path },
        "target": { "service": format!("s{}", number % HOSTS) },
    })
}

fn named(number: usize, round: usize) -> Value {
    let mut route = route(number, round);
    route["name"] = format!("r{number}").into();
    route
}

fn spread(times: &[Duration]) -> String {
    let mut sorted: Vec<f64> = times.iter().map(|took| took.as_secs_f64() * 1000.0).collect();
    sorted.sort_by(f64::total_cmp);
    let [middle, most] = [50, 99].map(|percent| percentile(&sorted, percent));
    format!("p50 {middle:.1} ms, p99 {most:.1} ms")
}

fn shown(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}
