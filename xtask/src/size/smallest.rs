//! `examples/smallest`: built from nothing, measured, and asked whether it serves.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use portway_testkit::{Client, DEADLINE, Echo, Process, Signal, free_addr};
use tokio::time::sleep;

use super::{crates, size};
use crate::{bench::sandbox::Sandbox, workspace};

const PACKAGE: &str = "portway-smallest";
/// How often the program is asked whether it has taken a change.
const LOOK: Duration = Duration::from_millis(5);

/// Both programs, without TLS and with it, made for size and made for speed.
pub(super) fn measure() -> anyhow::Result<()> {
    // So that no download is timed.
    succeed(&["fetch", "--locked"])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tls = &["--features", "tls"][..];
    let builds = [
        ("without TLS", "small", &[][..]),
        ("with TLS", "small", tls),
        ("without TLS", "release", &[]),
        ("with TLS", "release", tls),
    ];
    for (what, profile, features) in builds {
        let started = Instant::now();
        let file = build(profile, features)?;
        let took = started.elapsed().as_secs();
        let tried = async { serves(&file).await.and(refuses(&file).await) };
        runtime.block_on(tried).with_context(|| format!("{} fails", file.display()))?;
        println!("\nsmallest    {what}, profile {profile}: {}", file.display());
        println!("stripped    {}", size(&file)?);
        println!("crates      {}", crates(PACKAGE, features)?);
        println!(
            "built in    {took} s from nothing; it serves, takes a change, says what it lacks"
        );
    }
    Ok(())
}

/// Builds it with its own features alone, in a folder where nothing is built yet.
fn build(profile: &str, features: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = workspace::metadata()?.target_directory.into_std_path_buf().join("smallest");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let target = folder.display().to_string();
    let build = ["build", "--profile", profile, "--locked", "--package", PACKAGE];
    succeed(&[&build[..], &["--target-dir", &target], features].concat())?;
    Ok(folder.join(profile).join(PACKAGE))
}

fn succeed(arguments: &[&str]) -> anyhow::Result<()> {
    let status = workspace::cargo().args(arguments).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}

/// Starts it with a file of one route, asks, changes the file, and asks until the answer is new; then
/// asks an upstream that has a name, which the system resolves.
async fn serves(executable: &Path) -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let (file, fresh) = (sandbox.path("portway.yaml"), sandbox.path("portway.new"));
    let echo = Echo::start().await?;
    let (web, probes) = (free_addr()?, free_addr()?);
    let say = |word: &str| {
        format!(
            "listeners: [{{name: web, bind: '{web}'}}]\n\
             probes: {{bind: '{probes}'}}\n\
             access_log: {{enabled: false}}\n\
             services: [{{name: echo, url: 'http://localhost:{port}'}}]\n\
             routes:\n\
             - {{name: hello, match: {{path: /hello}}, target: {{reply: {{body: {word}}}}}}}\n\
             - {{name: named, match: {{path: /named}}, target: {{service: echo}}}}\n",
            port = echo.addr().port()
        )
    };
    fs::write(&file, say("first"))?;
    let mut process = Process::start(executable, &[&file.display().to_string()], &[])?;
    for (path, wanted) in [("/hello", "first"), ("/hello", "second"), ("/named", "\"GET\"")] {
        says(web, path, wanted).await.with_context(|| process.stderr().join("\n"))?;
        fs::write(&fresh, say("second"))?;
        fs::rename(&fresh, &file)?;
    }
    process.signal(Signal::TERM)?;
    let status = process.wait_exit(DEADLINE * 2).await?;
    if !status.success() {
        bail!("{status}:\n{}", process.stderr().join("\n"));
    }
    Ok(())
}

/// Asks until the answer has this in it: a program listens only once it has started.
async fn says(web: SocketAddr, path: &str, wanted: &str) -> anyhow::Result<()> {
    let (client, asked) = (Client::h1(web), Instant::now());
    while !client.get(path).await.is_ok_and(|answer| answer.text().contains(wanted)) {
        if asked.elapsed() > DEADLINE {
            bail!("{path} never says {wanted}");
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// Starts it with a file that asks for what it was built without: it names each and does not start.
async fn refuses(executable: &Path) -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let file = sandbox.path("portway.yaml");
    let text = format!(
        "listeners: [{{name: web, bind: '{}'}}]\n\
         resolver: {{servers: ['127.0.0.1:53']}}\n\
         routes: [{{name: site, match: {{path: /}}, target: {{files: {{root: /srv}}}}}}]\n",
        free_addr()?
    );
    fs::write(&file, text)?;
    let mut process = Process::start(executable, &[&file.display().to_string()], &[])?;
    let status = process.wait_exit(DEADLINE).await?;
    let said = process.stderr().join("\n");
    for lacking in ["resolver.servers", "routes[0].target.files"] {
        if status.success() || !said.contains(lacking) || !said.contains("not_in_this_build") {
            bail!("{status}: nothing is said of {lacking}:\n{said}");
        }
    }
    Ok(())
}
