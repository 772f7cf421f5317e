//! schemathesis, which reads the `OpenAPI` document of the admin API and sends what it allows and
//! what it forbids.

use std::{fs, path::Path, time::Duration};

use anyhow::Context;
use serde_json::Value;

use super::{administered::Administered, python::Program};

/// What is tried follows from its version, that of Hypothesis, and the seed.
pub(super) const PROGRAM: Program = Program {
    name: "st",
    package: "schemathesis",
    requirements: include_str!("schemathesis.requirements.txt"),
};
/// What is tried, and how often.
const SETTINGS: &str = include_str!("schemathesis.toml");
/// Far more than it needs on a slow machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// Lets it ask the gateway; returns what it finds wrong.
pub(super) async fn run(program: &Path, say: &mut dyn FnMut(&str)) -> anyhow::Result<Vec<String>> {
    let gateway = Administered::start().await?;
    let (settings, document) = (gateway.path("settings.toml"), gateway.path("openapi.json"));
    fs::write(&settings, SETTINGS)?;
    fs::write(&document, spoken(gateway.document().await?).to_string())?;
    let mut command = tokio::process::Command::new(program);
    command.arg("--config-file").arg(&settings).args(["run", "--no-color"]);
    command.arg(&document).arg("--url").arg(format!("http://{}/", gateway.admin));
    command.env("PORTWAY_TOKEN", &gateway.token).kill_on_drop(true);
    // It keeps what it has seen beside where it runs.
    command.current_dir(gateway.path("administered"));
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.context("schemathesis does not come to an end")??;
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.split_once("= SUMMARY =").map_or("", |(_, summary)| summary);
    if output.status.success() && summary.contains(" passed") {
        summary.lines().filter(|line| line.contains(" passed")).for_each(say);
        return Ok(Vec::new());
    }
    // What it found comes last: a log that is cut keeps its end.
    let mut faults = gateway.said();
    faults.extend(String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned));
    faults.extend(text.lines().map(str::to_owned));
    Ok(faults)
}

/// The document without TOML, which schemathesis cannot write. Tests of the executable send it.
fn spoken(mut document: Value) -> Value {
    match &mut document {
        Value::Object(object) => {
            object.remove("application/toml");
            object.values_mut().for_each(|one| *one = spoken(one.take()));
        }
        Value::Array(list) => list.iter_mut().for_each(|one| *one = spoken(one.take())),
        _ => {}
    }
    document
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::spoken;

    #[test]
    fn only_toml_is_left_out() {
        let document = json!({ "content": { "application/json": {}, "application/toml": {} } });
        assert_eq!(spoken(document), json!({ "content": { "application/json": {} } }));
    }
}
