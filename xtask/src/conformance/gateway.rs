//! The gateway that is judged: one listener with TLS, one without, a route to an upstream.

use std::{fs, net::SocketAddr, path::PathBuf};

use anyhow::Context;
use portway_testkit::{
    Echo, Process, RunningEcho, free_addr,
    tls::{Authority, Identity},
};

use crate::{bench::sandbox::Sandbox, workspace};

/// The name in its certificate.
pub(super) const NAME: &str = "localhost";

/// A gateway that runs; dropping it stops it and removes its files.
pub(super) struct Gateway {
    /// Where it speaks HTTP without TLS.
    pub(super) plain: SocketAddr,
    /// Where it speaks HTTP over TLS.
    pub(super) tls: SocketAddr,
    /// The authority behind its certificate.
    pub(super) authority: PathBuf,
    process: Process,
    _upstream: RunningEcho,
    _folder: Sandbox,
}

impl Gateway {
    /// Starts the executable of the dev build and waits until it serves.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let folder = Sandbox::new()?;
        let place = folder.path("gateway");
        fs::create_dir_all(&place)?;
        let authority = Authority::new()?;
        let files = identity(&authority)?.write(&place)?;
        let upstream = Echo::start().await?;
        let (plain, tls) = (free_addr()?, free_addr()?);
        let file = place.join("portway.yaml");
        let configuration = format!(
            "listeners:\n\
             - {{name: plain, bind: \"{plain}\"}}\n\
             - {{name: tls, bind: \"{tls}\", tls: {{certificates: [{{cert: {}, key: {}}}]}}}}\n\
             probes: {{bind: \"127.0.0.1:0\"}}\n\
             access_log: {{path: /dev/null}}\n\
             services: [{{name: up, url: \"{}\", routes: [{{name: all}}]}}]\n",
            files.cert.display(),
            files.key.display(),
            upstream.url()
        );
        fs::write(&file, configuration)?;
        let executable = workspace::executable(&workspace::metadata()?, "debug", "portway");
        let process = Process::start(&executable, &["run", &file.display().to_string()], &[])
            .with_context(|| format!("cannot start {}", executable.display()))?;
        process.wait_for_line(|line| line.contains(" serving ")).await?;
        let authority = authority.write(&place)?;
        Ok(Self { plain, tls, authority, process, _upstream: upstream, _folder: folder })
    }

    /// What it said, for a report of a failure.
    pub(super) fn said(&self) -> String {
        self.process.stderr().join("\n")
    }
}

/// What a public authority would issue today: ECDSA with P-256, for no more than 90 days.
fn identity(authority: &Authority) -> anyhow::Result<Identity> {
    use std::time::{Duration, SystemTime};
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let now = SystemTime::now();
    Ok(authority.order(&[NAME]).valid(now - DAY, now + 89 * DAY).issue()?)
}
