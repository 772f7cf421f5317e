//! sslyze, which tries what a TLS server takes and compares it with Mozilla's recommendations.

use std::path::Path;

use super::{
    gateway::{Gateway, NAME},
    python::Program,
};

/// The recommendations are part of it and change with it.
pub(super) const PROGRAM: Program = Program {
    name: "sslyze",
    package: "sslyze",
    requirements: include_str!("sslyze.requirements.txt"),
};
/// What it says of a server that is as it should be.
const COMPLIANT: &str = "OK - Compliant";

/// Lets it look at the gateway; returns what it finds wrong.
pub(super) async fn run(program: &Path) -> anyhow::Result<Vec<String>> {
    let gateway = Gateway::start().await?;
    let mut command = tokio::process::Command::new(program);
    command.arg("--mozilla_config=intermediate").arg("--certinfo_ca_file").arg(&gateway.authority);
    command.arg(format!("{NAME}:{}{{127.0.0.1}}", gateway.tls.port()));
    let output = command.output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && text.contains(COMPLIANT) {
        return Ok(Vec::new());
    }
    let verdict = text.split_once("COMPLIANCE AGAINST").map_or(&*text, |(_, verdict)| verdict);
    let mut faults: Vec<String> = verdict.lines().map(str::to_owned).collect();
    faults.extend(String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned));
    faults.push(gateway.said());
    Ok(faults)
}
