//! The upstream: nginx with one worker, answering from memory. It is taken from Debian because
//! it is the same everywhere, serves files without copying them, and costs less for a request
//! than any program under test, so that it is not what the figures show. It answers calls of gRPC
//! too, with a file and a trailer. Messages of WebSocket are echoed by an upstream of ours.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use super::case::Form;
use super::contender::Place;
use super::machine::Machine;
use super::portway::released;
use super::process::Running;
use super::sandbox::{Sandbox, free_ports};
use super::template::fill;

/// An upstream that runs; dropping it stops it.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    _process: Running,
}

impl Upstream {
    /// Makes its files and starts it.
    pub(crate) fn start(machine: &Machine, sandbox: &Sandbox, form: Form) -> anyhow::Result<Self> {
        let folder = sandbox.path("upstream");
        std::fs::create_dir_all(&folder)?;
        let [listen, side] = free_ports()?;
        let command = if form == Form::WebSocket {
            let mut command = Command::new(released("ends")?);
            command.arg("echo").arg(listen.to_string());
            command
        } else {
            nginx(&Place { listen, side, upstream: listen, form, folder: &folder })?
        };
        let mut process = Running::start("the upstream", machine.upstream, &command, &folder)?;
        process
            .wait_until(Duration::from_secs(10), || TcpStream::connect(listen).ok())
            .context("the upstream does not start")?;
        Ok(Self { address: listen, _process: process })
    }
}

fn nginx(place: &Place<'_>) -> anyhow::Result<Command> {
    let files = place.folder.join("bench/files/items");
    std::fs::create_dir_all(&files)?;
    std::fs::write(files.join("64k"), vec![b'x'; 64 * 1024])?;
    std::fs::write(files.join("10m"), vec![b'x'; 10 * 1024 * 1024])?;
    std::fs::write(place.folder.join("reply"), grpc_message())?;
    let path = fill("upstream/nginx.conf", place)?;
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text.replace("@1K@", &"x".repeat(1024)))?;
    let mut command = Command::new("nginx");
    let prefix: &Path = place.folder;
    command.arg("-p").arg(prefix).arg("-e").arg(prefix.join("error.log")).arg("-c").arg(path);
    Ok(command)
}

/// A message of gRPC as it is sent, either way: not compressed, its length, 64 bytes.
pub(crate) fn grpc_message() -> Vec<u8> {
    [&[0, 0, 0, 0, 64][..], &[b'x'; 64]].concat()
}
