//! A running gateway and what it says about itself.
//!
//! [`Gateway::start`] writes a configuration into a directory of its own, starts the executable on
//! it and waits until it serves. What a test leaves out of the configuration is added: a listener
//! `web` and the probes on ports the system chooses, and an access log that [`Gateway::records`]
//! reads back.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use portway_testkit::process::{Command, Process, Signal};
use portway_testkit::{Client, DEADLINE, RawClient, eventually, within};
use serde_json::Value;
use tempfile::TempDir;

/// The executable.
pub(crate) const PORTWAY: &str = env!("CARGO_BIN_EXE_portway");
/// The name of the configuration file.
pub(crate) const FILE: &str = "gateway.yaml";
/// The listener that is there unless a test declares its own.
const WEB: &str = "web";

/// A gateway at work. It is killed, and its directory removed, on drop.
pub(crate) struct Gateway {
    // Dropped before the directory in which it works.
    pub(crate) process: Process,
    dir: TempDir,
}

impl Gateway {
    /// Starts a gateway with this configuration and waits until it serves.
    pub(crate) async fn start(config: &str) -> io::Result<Self> {
        Self::start_with(config, &[]).await
    }

    /// The same with more arguments for `portway run`.
    pub(crate) async fn start_with(config: &str, args: &[&str]) -> io::Result<Self> {
        let dir = directory()?;
        let file = dir.path().join(FILE);
        fs::write(&file, complete(config, dir.path()))?;
        let mut command = Command::new(PORTWAY);
        command.arg("run").arg(file).args(args);
        Self::spawn(dir, &mut command).await
    }

    /// Runs a command that starts the executable on the file in this directory, and waits until
    /// it serves.
    pub(crate) async fn spawn(dir: TempDir, command: &mut Command) -> io::Result<Self> {
        let process = Process::spawn(command)?;
        process.wait_for_line(|line| line.contains(" serving ")).await?;
        Ok(Self { process, dir })
    }

    /// Where its listener `web` listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.listener(WEB)
    }

    /// Where a listener listens.
    pub(crate) fn listener(&self, name: &str) -> SocketAddr {
        let name = format!("listener=\"{name}\"");
        self.address(|line| line.contains(" listening ") && line.contains(&name))
    }

    /// Where the probes are.
    pub(crate) fn probes(&self) -> SocketAddr {
        self.address(|line| line.contains(" probes "))
    }

    /// A client of its own for the listener `web`.
    pub(crate) fn client(&self) -> Client {
        Client::h1(self.addr())
    }

    /// A connection to the listener `web`.
    pub(crate) async fn raw(&self) -> io::Result<RawClient> {
        RawClient::connect(self.addr()).await
    }

    /// The configuration file.
    pub(crate) fn file(&self) -> PathBuf {
        self.path(FILE)
    }

    /// A file of this name beside the configuration.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What stands in the file for this configuration: with what it leaves out.
    pub(crate) fn complete(&self, config: &str) -> String {
        complete(config, self.dir.path())
    }

    /// Replaces the configuration file and waits until the change is served. An error shows why
    /// it was rejected.
    pub(crate) async fn reload(&self, config: &str) -> io::Result<()> {
        self.after(|| {
            let fresh = self.path("gateway.yaml.new");
            fs::write(&fresh, self.complete(config))?;
            fs::rename(fresh, self.file())
        })
        .await
    }

    /// Does something that makes the gateway read its file, and waits until what stands there is
    /// served. An error shows why it was rejected.
    pub(crate) async fn after(&self, change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let decided =
            |line: &str| line.contains("configuration applied") || line.contains("rejected;");
        let before = self.process.stderr().iter().filter(|line| decided(line)).count();
        change()?;
        let mut seen = 0;
        let outcome = self.process.wait_for_line(|line| {
            seen += usize::from(decided(line));
            seen > before
        });
        let outcome = outcome.await?;
        if outcome.contains("rejected;") {
            return Err(io::Error::other(self.process.stderr().join("\n")));
        }
        Ok(())
    }

    /// The access records, as soon as there are at least so many.
    pub(crate) async fn records(&self, at_least: usize) -> io::Result<Vec<Value>> {
        let what = format!("{at_least} access records were written");
        eventually(&what, || self.read_records().len() >= at_least).await?;
        Ok(self.read_records())
    }

    /// The access record of the request for a path that was asked for once, as soon as it is
    /// written.
    pub(crate) async fn record(&self, path: &str) -> io::Result<Value> {
        let find = || self.read_records().into_iter().find(|record| record["path"] == path);
        eventually(&format!("an access record of {path} was written"), || find().is_some()).await?;
        Ok(find().expect("it was there just now, and records are only added"))
    }

    /// What the probes' `/metrics` says.
    pub(crate) async fn metrics(&self) -> io::Result<String> {
        let response = Client::h1(self.probes()).get("/metrics").await?;
        Ok(response.text().into_owned())
    }

    /// The sum of a metric over all series whose labels hold every one of `labels`, written
    /// `name="value"`.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> io::Result<f64> {
        let metrics = self.metrics().await?;
        let values = metrics.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, rest) = series.split_once('{').unwrap_or((series, ""));
            let wanted = found == name && labels.iter().all(|label| rest.contains(label));
            wanted.then(|| value.parse::<f64>().ok()).flatten()
        });
        Ok(values.sum())
    }

    /// Waits until so many connections were refused by the listener `web` for a reason.
    pub(crate) async fn refuses(&self, reason: &str, count: usize) -> io::Result<()> {
        let labels = [format!("listener=\"{WEB}\""), format!("reason=\"{reason}\"")];
        let labels = [&*labels[0], &*labels[1]];
        // On the heap: it weighs much.
        let counting = Box::pin(async {
            loop {
                let counted = self.metric("portway_connections_refused_total", &labels).await?;
                if counted >= count as f64 {
                    return Ok(counted);
                }
                tokio::task::yield_now().await;
            }
        });
        let counted = within(DEADLINE, &format!("refusal by {reason}"), counting).await?;
        assert_eq!(counted, count as f64, "{reason}");
        Ok(())
    }

    /// Kills it, and leaves its directory behind.
    pub(crate) async fn killed(self) -> io::Result<TempDir> {
        let Self { mut process, dir } = self;
        process.kill().await?;
        Ok(dir)
    }

    /// Asks it to end as an operator would, and waits for that.
    pub(crate) async fn stop(mut self) -> io::Result<ExitStatus> {
        self.process.signal(Signal::TERM)?;
        self.process.wait_exit(DEADLINE * 2).await
    }

    /// The same, and keeps its directory for another one.
    pub(crate) async fn stop_keeping(self) -> io::Result<TempDir> {
        let Self { mut process, dir } = self;
        process.signal(Signal::TERM)?;
        process.wait_exit(DEADLINE * 2).await?;
        Ok(dir)
    }

    fn read_records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.dir.path().join("access.log")).unwrap_or_default();
        // The last line may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The address in the last line that is wanted: a later one replaced the earlier ones.
    fn address(&self, wanted: impl Fn(&str) -> bool) -> SocketAddr {
        let lines = self.process.stderr();
        let line = lines.iter().rfind(|line| wanted(line));
        let address = line.and_then(|line| {
            line.split_whitespace().find_map(|word| word.strip_prefix("address="))?.parse().ok()
        });
        address.unwrap_or_else(|| panic!("no such address in the log:\n{}", lines.join("\n")))
    }
}

/// The configuration of one service `up` at a URL, with one route `all` for every path. `more`
/// are further keys of the service, each `key: value` with a comma behind it.
pub(crate) fn service(url: &str, more: &str) -> String {
    let routes = "[{name: all, match: {path: {prefix: /}}}]";
    format!("services: [{{name: up, url: \"{url}\", {more} routes: {routes}}}]")
}

/// A directory for a gateway's files.
pub(crate) fn directory() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("portway-").tempdir()
}

/// The configuration with what a test left out; the access log is in `dir`.
pub(crate) fn complete(config: &str, dir: &Path) -> String {
    let log = dir.join("access.log");
    let defaults = [
        ("listeners:", format!("[{{name: {WEB}, bind: \"127.0.0.1:0\"}}]")),
        ("probes:", "{bind: \"127.0.0.1:0\"}".to_owned()),
        ("access_log:", format!("{{path: {}, format: json}}", log.display())),
    ];
    let missing = defaults
        .iter()
        .filter(|(key, _)| !config.lines().any(|line| line.starts_with(key)))
        .map(|(key, value)| format!("{key} {value}\n"));
    let missing: String = missing.collect();
    format!("{missing}{config}\n")
}
