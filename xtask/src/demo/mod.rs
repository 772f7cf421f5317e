//! `cargo xtask demo`: the gateway at work on an example, for a first look. The upstreams live in
//! this process, the gateway is the real executable on a real file. The gate rehearses the same
//! scene on other ports, so that the first thing a newcomer tries is known to work.

use std::{
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use portway_testkit::{Client, Echo, RunningEcho};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep},
};

mod rehearsal;
mod scene;

pub(crate) use rehearsal::rehearse;
use scene::{FILE, Scene, TRIES};

use crate::workspace;

/// How long the gateway may take to get ready, and to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// Builds the gateway, starts the scene and stops it on Ctrl-C.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let scene = Scene::as_written();
    scene.ports_are_free()?;
    println!("building portway (dev profile: quick to build; measure with a release build)");
    let build = ["build", "--workspace", "--bin", "portway", "--locked"];
    let status = workspace::cargo().args(build).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("portway does not build");
    }
    runtime()?.block_on(perform(&scene))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().context("cannot start a runtime")
}

async fn perform(scene: &Scene) -> anyhow::Result<ExitCode> {
    let upstreams = upstreams(scene).await?;
    let executable = workspace::executable(&workspace::metadata()?, "debug", "portway");
    let mut gateway = Command::new(&executable);
    gateway.args(["run", FILE]).current_dir(workspace::root()).stdin(Stdio::null());
    // A group of its own: Ctrl-C reaches only us, and we stop it properly.
    gateway.process_group(0).kill_on_drop(true);

    let mut told_to_stop = Stop::listen()?;
    let mut gateway =
        gateway.spawn().with_context(|| format!("cannot start {}", executable.display()))?;
    tokio::select! {
        ready = ready(scene) => ready?,
        status = gateway.wait() => bail!("the gateway ended before it was ready: {}", status?),
        () = told_to_stop.wait() => return Ok(ExitCode::SUCCESS),
    }

    println!("\n{}", invitation(scene));
    tokio::select! {
        status = gateway.wait() => bail!("the gateway ended: {}", status?),
        () = told_to_stop.wait() => {}
    }
    println!("\nstopping");
    if let Some(id) = gateway.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
        kill_process(id, Signal::TERM).context("cannot stop the gateway")?;
    }
    let ended = tokio::time::timeout(PATIENCE, gateway.wait()).await;
    drop(upstreams);
    match ended {
        Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => {
            Ok(ExitCode::SUCCESS)
        }
        Ok(status) => bail!("the gateway did not stop in order: {}", status?),
        Err(_) => bail!("the gateway did not stop within {PATIENCE:?} and was ended"),
    }
}

/// What the gateway forwards to, in this process.
async fn upstreams(scene: &Scene) -> anyhow::Result<Vec<RunningEcho>> {
    let mut running = Vec::new();
    for (name, address) in [("accounts", scene.accounts), ("orders", scene.orders)] {
        let echo = Echo::bind(address).await;
        let echo = echo.with_context(|| format!("no upstream {name} on {address}"))?;
        running.push(echo.named(name).spawn());
    }
    Ok(running)
}

/// Waits until the gateway says that it serves.
async fn ready(scene: &Scene) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let probe = Client::h1(scene.probes).with_deadline(PATIENCE);
    loop {
        let answer = probe.get("/readyz").await;
        if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let last = answer.map_or_else(|error| error.to_string(), |a| a.status.to_string());
            bail!("the gateway is not ready after {PATIENCE:?}: /readyz says {last}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The lines to copy.
fn invitation(scene: &Scene) -> String {
    let mut text = format!("Portway serves {FILE}. Try in another terminal:\n\n");
    for line in TRIES.iter().map(|attempt| attempt.curl(scene)) {
        text += &format!("  {line}\n");
    }
    text + &format!(
        "\nProbes: http://{0}/readyz, /healthz, /version; metrics: http://{0}/metrics\n\
         Edit {FILE} and save it: the gateway takes the change, or says what is wrong with it.\n\
         Ctrl-C stops everything. A line follows for each request.\n",
        scene.probes
    )
}

/// The ways to be told to stop: Ctrl-C, a polite kill, a closed terminal.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invitation_has_three_lines_to_copy_and_the_probes() {
        let text = invitation(&Scene::as_written());
        assert_eq!(text.matches("  curl ").count(), 3, "{text}");
        assert!(text.contains("http://127.0.0.1:9000/readyz"), "{text}");
    }

    #[test]
    fn upstreams_say_which_port_they_did_not_get() {
        let mut scene = Scene::as_written();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        scene.accounts = taken.local_addr().unwrap();
        let error = runtime().unwrap().block_on(upstreams(&scene)).unwrap_err();
        assert_eq!(error.to_string(), format!("no upstream accounts on {}", scene.accounts));
    }
}
