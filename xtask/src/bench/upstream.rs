//! The upstream: nginx with one worker, answering from memory. It is taken from Debian because
//! it is the same everywhere, serves files without copying them, and costs less for a request
//! than any program under test, so that it is not what the figures show.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use super::contender::{Place, fill};
use super::machine::Machine;
use super::process::Running;
use super::sandbox::{Sandbox, free_ports, get};

/// An upstream that runs; dropping it stops it.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    _process: Running,
}

impl Upstream {
    /// Makes its files and starts it.
    pub(crate) fn start(machine: &Machine, sandbox: &Sandbox) -> anyhow::Result<Self> {
        let folder = sandbox.path("upstream");
        let files = folder.join("bench/files/items");
        std::fs::create_dir_all(&files)?;
        std::fs::write(files.join("64k"), vec![b'x'; 64 * 1024])?;
        std::fs::write(files.join("10m"), vec![b'x'; 10 * 1024 * 1024])?;
        let [listen, side] = free_ports()?;
        let place = Place { listen, side, upstream: listen, folder: &folder };
        let path = fill("upstream/nginx.conf", &place)?;
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(&path, text.replace("@1K@", &"x".repeat(1024)))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-e").arg(folder.join("error.log")).arg("-c").arg(path);
        let mut process = Running::start("the upstream", machine.upstream, &command, &folder)?;
        process
            .wait_until(Duration::from_secs(10), || get(listen, "/").ok())
            .context("the upstream (nginx) does not start")?;
        Ok(Self { address: listen, _process: process })
    }
}
