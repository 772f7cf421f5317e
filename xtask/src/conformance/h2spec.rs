//! h2spec, which sends an HTTP/2 server what it must understand and what it must refuse.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use super::{gateway::Gateway, report, succeeds};
use crate::workspace;

/// What it is asked to try.
const SECTIONS: [&str; 3] = ["generic", "http2", "hpack"];
/// Its cases in these sections. Fewer in a report mean that it stopped in the middle.
const CASES: usize = 145;

/// A way to reach the gateway, and the cases that fail over it by design: `docs/http2.md` says why.
struct Transport {
    name: &'static str,
    arguments: &'static [&'static str],
    expected: &'static [&'static str],
}

const TRANSPORTS: [Transport; 2] = [
    Transport { name: "TLS", arguments: &["--tls", "--insecure"], expected: &[] },
    Transport {
        name: "h2c",
        arguments: &[],
        // Without TLS, what does not begin with the preface is HTTP/1.1, and answered in it.
        expected: &["http2/3.5: Sends invalid connection preface"],
    },
];

/// Builds h2spec unless that was done before. Its version and those of what it needs stand in
/// `xtask/h2spec/go.mod`: old enough for the Go of Debian 12.
pub(super) fn ensure(say: &mut dyn FnMut(&str)) -> anyhow::Result<PathBuf> {
    let source = workspace::root().join("xtask/h2spec");
    let wanted = fs::read_to_string(source.join("go.mod"))?;
    let folder = workspace::metadata()?.target_directory.into_std_path_buf().join("h2spec");
    let (program, stamp) = (folder.join("h2spec"), folder.join("go.mod.built"));
    if program.is_file() && fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return Ok(program);
    }
    if Command::new("go").arg("version").output().is_err() {
        bail!("go is missing, which builds h2spec (on Debian: apt-get install golang-go)");
    }
    say("building h2spec");
    fs::create_dir_all(&folder)?;
    let mut build = Command::new("go");
    build.args(["build", "-mod=readonly", "-o"]).arg(&program);
    build.arg("github.com/summerwind/h2spec/cmd/h2spec").current_dir(source);
    // Another version of Go than the one that is here is not downloaded.
    succeeds(build.env("GOTOOLCHAIN", "local").env("GOWORK", "off"))?;
    fs::write(&stamp, &wanted)?;
    Ok(program)
}

/// Runs it so many times over each transport; returns what was not expected.
pub(super) async fn run(
    program: &Path,
    rounds: u32,
    say: &mut dyn FnMut(&str),
) -> anyhow::Result<Vec<String>> {
    let gateway = Gateway::start().await?;
    let mut faults = Vec::new();
    for transport in &TRANSPORTS {
        let port = if transport.name == "TLS" { gateway.tls } else { gateway.plain }.port();
        let mut unexpected = 0;
        for round in 1..=rounds {
            let report = once(program, transport, port).await?;
            if report.cases != CASES {
                bail!("h2spec ran {} cases of {CASES}\n{}", report.cases, gateway.said());
            }
            let found = differences(&report.failed, transport.expected);
            unexpected += found.len();
            let at = format!("h2spec over {}, round {round} of {rounds}", transport.name);
            say(&format!("{at}: {CASES} cases, {} failed", report.failed.len()));
            faults.extend(found.iter().map(|fault| format!("{at}: {fault}")));
        }
        say(&format!(
            "h2spec over {}: {rounds} × {CASES} cases, {} expected to fail, {unexpected} not as \
             expected",
            transport.name,
            transport.expected.len(),
        ));
    }
    Ok(faults)
}

async fn once(program: &Path, transport: &Transport, port: u16) -> anyhow::Result<report::Report> {
    let folder = program.parent().context("the program is in a folder")?;
    // The port is nobody else's as long as the gateway holds it.
    let file = folder.join(format!("{port}.xml"));
    let mut command = tokio::process::Command::new(program);
    command.args(SECTIONS).args(["--port", &port.to_string()]).args(transport.arguments);
    let output = command.arg("--junit-report").arg(&file).output().await?;
    let text = fs::read_to_string(&file)
        .with_context(|| format!("no report: {}", String::from_utf8_lossy(&output.stdout)))?;
    fs::remove_file(&file)?;
    Ok(report::read(&text))
}

/// Cases that fail and should not, and cases that no longer do.
fn differences(failed: &[String], expected: &[&str]) -> Vec<String> {
    let new = failed.iter().filter(|case| !expected.contains(&case.as_str()));
    let gone = expected.iter().filter(|case| !failed.iter().any(|failed| failed == *case));
    new.map(|case| format!("{case}: failed"))
        .chain(gone.map(|case| format!("{case}: passes now; take it off the list of exceptions")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn new_failures_and_mended_ones_are_told() {
        let failed = ["a".to_owned(), "b".to_owned()];
        assert!(differences(&failed, &["a", "b"]).is_empty());
        assert_eq!(differences(&failed, &["a"]), ["b: failed"]);
        let mended = differences(&failed, &["a", "b", "c"]);
        assert_eq!(mended, ["c: passes now; take it off the list of exceptions"]);
    }
}
