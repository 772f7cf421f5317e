//! sslyze, which tries what a TLS server takes and compares it with Mozilla's recommendations.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    gateway::{Gateway, NAME},
    succeeds,
};
use crate::workspace;

/// As `pip` has it. The recommendations are part of it and change with it.
const WANTED: &str = "sslyze==6.3.1";
/// What it says of a server that is as it should be.
const COMPLIANT: &str = "OK - Compliant";

/// Installs sslyze into an environment of its own unless that was done before.
pub(super) fn ensure(say: &mut dyn FnMut(&str)) -> anyhow::Result<PathBuf> {
    let folder = workspace::metadata()?.target_directory.into_std_path_buf().join("sslyze");
    let (program, stamp) = (folder.join("bin/sslyze"), folder.join("installed"));
    if program.is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == WANTED) {
        return Ok(program);
    }
    say(&format!("installing {WANTED} from PyPI"));
    succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    succeeds(pip.args(["install", "--quiet", "--disable-pip-version-check", WANTED]))?;
    fs::write(&stamp, WANTED)?;
    Ok(program)
}

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
