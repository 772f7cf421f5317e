//! The demo without a person: the same file on free ports, each line of the invitation asked and
//! its answer compared, and an orderly end.

use std::fs;

use anyhow::{Context, bail};
use http::Request;
use portway_testkit::{Client, Process, Signal, free_addr};

use super::{
    FILE, PATIENCE, ready, runtime,
    scene::{Attempt, Scene, TRIES},
    upstreams,
};
use crate::workspace;

/// Plays the demo and says what did not go as it promises. The gateway must be built.
pub(crate) fn rehearse() -> anyhow::Result<Vec<String>> {
    runtime()?.block_on(play())
}

async fn play() -> anyhow::Result<Vec<String>> {
    let scene = Scene {
        web: free_addr()?,
        probes: free_addr()?,
        accounts: free_addr()?,
        orders: free_addr()?,
    };
    let root = workspace::root();
    let metadata = workspace::metadata()?;
    let example = fs::read_to_string(root.join(FILE)).with_context(|| format!("no {FILE}"))?;
    let folder = metadata.target_directory.as_std_path().join("demo");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{}.yaml", scene.web.port()));
    fs::write(&file, scene.played_in(&example)?)?;

    let _upstreams = upstreams(&scene).await?;
    let executable = workspace::executable(&metadata, "debug", "portway");
    let path = file.to_str().context("the target folder's path is no UTF-8")?;
    let mut gateway = Process::start(&executable, &["run", path], &[])?;
    if let Err(error) = ready(&scene).await {
        bail!("{error}\n{}", gateway.stderr().join("\n"));
    }

    let client = Client::h1(scene.web);
    let mut faults = Vec::new();
    for attempt in &TRIES {
        faults.extend(ask(&client, &scene, attempt).await?);
    }
    gateway.signal(Signal::TERM)?;
    let status = gateway.wait_exit(PATIENCE).await?;
    if !status.success() {
        faults.push(format!("SIGTERM: {status} instead of an orderly end"));
    }
    fs::remove_file(&file)?;
    Ok(faults)
}

async fn ask(client: &Client, scene: &Scene, attempt: &Attempt) -> anyhow::Result<Option<String>> {
    let request = Request::builder()
        .method(attempt.method)
        .uri(attempt.path)
        .header("host", scene.web.to_string())
        .body(attempt.body.to_owned())?;
    let answer = client.request(request).await?;
    let whole = format!("{} {:?}\n{}", answer.status, answer.headers, answer.text());
    let kept = answer.status == attempt.status && whole.contains(attempt.says);
    Ok((!kept).then(|| {
        let Attempt { method, path, status, says, .. } = attempt;
        format!("{method} {path}: {status} with `{says}` expected, got {whole}")
    }))
}
