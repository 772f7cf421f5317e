//! h2load: one thread, few connections and many streams on each, over TLS.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, bail};

use super::{super::statistics::percentile, Seen};
use crate::bench::case::Case;
use crate::bench::machine::Machine;
use crate::bench::priority::pinned;
use crate::bench::sandbox::Sandbox;
use crate::bench::upstream::grpc_message;

/// Connections, and requests under way on each.
const CONNECTIONS: &str = "4";
const STREAMS: &str = "100";
/// The same for everybody, see `bench/wrk/openssl.cnf`.
const CRYPTOGRAPHY: [&str; 4] = ["--tls13-ciphers", "TLS_AES_128_GCM_SHA256", "--groups", "X25519"];
/// What makes a request a call of gRPC.
const CALL: [&str; 4] = ["-H", "content-type: application/grpc", "-H", "te: trailers"];

/// What h2load tells at its end.
#[derive(Debug, PartialEq)]
struct Told {
    succeeded: u64,
    failed: u64,
    /// Bytes in the bodies of answers.
    data: u64,
}

/// Loads one program for so many seconds.
pub(super) fn run(
    machine: &Machine,
    sandbox: &Sandbox,
    case: Case,
    calls: bool,
    to: SocketAddr,
    seconds: u32,
) -> anyhow::Result<Seen> {
    let log = sandbox.path("h2load.tsv");
    let mut command = command(machine, sandbox, calls)?;
    command.args(["-c", CONNECTIONS, "-m", STREAMS]).arg(format!("--duration={seconds}"));
    command.arg(format!("--log-file={}", log.display()));
    let told = finish(command.arg(url(case, to)))?;
    let mut times = times(&fs::read_to_string(&log)?);
    fs::remove_file(&log)?;
    times.sort_by(f64::total_cmp);
    // A call that failed is an answer of HTTP without a message.
    if told.data < told.succeeded * case.body() {
        bail!("{} answers brought only {} bytes", told.succeeded, told.data);
    }
    Ok(Seen {
        requests: told.succeeded,
        bytes: told.data,
        microseconds: f64::from(seconds) * 1e6,
        p50_us: percentile(&times, 50),
        p99_us: percentile(&times, 99),
        errors: told.failed,
    })
}

/// Asks once.
pub(super) fn once(
    machine: &Machine,
    sandbox: &Sandbox,
    case: Case,
    calls: bool,
    to: SocketAddr,
) -> anyhow::Result<()> {
    let mut command = command(machine, sandbox, calls)?;
    let told = finish(command.args(["-c1", "-n1"]).arg(url(case, to)))?;
    if told != (Told { succeeded: 1, failed: 0, data: case.body() }) {
        bail!("one request of HTTP/2 ended with {told:?}");
    }
    Ok(())
}

fn command(machine: &Machine, sandbox: &Sandbox, calls: bool) -> anyhow::Result<Command> {
    let mut command = pinned(machine.load);
    command.args(["h2load", "-t1", "--npn-list=h2"]).args(CRYPTOGRAPHY);
    if calls {
        let message = sandbox.path("call");
        fs::write(&message, grpc_message())?;
        command.arg(format!("--data={}", message.display())).args(CALL);
    }
    Ok(command)
}

fn url(case: Case, to: SocketAddr) -> String {
    format!("https://{to}{}", case.path())
}

fn finish(command: &mut Command) -> anyhow::Result<Told> {
    let output = command.output().context("cannot run h2load")?;
    let text = String::from_utf8_lossy(&output.stdout);
    told(&text).with_context(|| {
        format!("h2load failed: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

fn told(text: &str) -> Option<Told> {
    let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let requests = line("requests: ")?;
    // Each number stands before its word: `7 failed`.
    let number = |word: &str| -> Option<u64> {
        let (before, _) = requests.split_once(word)?;
        before.trim_end().rsplit(' ').next()?.parse().ok()
    };
    // `traffic: …, 1.00MB (1048576) data`
    let (_, data) = line("traffic: ")?.rsplit_once('(')?;
    Some(Told {
        succeeded: number("succeeded")?,
        failed: number("failed")? + number("errored")? + number("timeout")?,
        data: data.split(')').next()?.parse().ok()?,
    })
}

/// The third field of each line: how long an answer took, in microseconds.
fn times(log: &str) -> Vec<f64> {
    log.lines().filter_map(|line| line.split('\t').nth(2)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Told, told};

    #[test]
    fn what_is_told_is_read() {
        let text = "finished in 2.01s, 54336.00 req/s, 11.97MB/s\n\
            requests: 9 total, 9 started, 9 done, 4 succeeded, 2 failed, 1 errored, 2 timeout\n\
            traffic: 23.94MB (25103428) total, 11.40MB (11953920) headers, 7.15MB (276) data\n";
        assert_eq!(told(text), Some(Told { succeeded: 4, failed: 5, data: 276 }));
        assert_eq!(told("nothing"), None);
    }
}
