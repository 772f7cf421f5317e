//! The peers: where each comes from and how it is started. Their configurations are the files
//! under `bench/peers`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use super::case::Case;
use super::contender::{Contender, Role, fill};
use super::machine::version;
use super::progress::Progress;

/// A peer that may be had.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Finds or installs it.
    pub(crate) find: fn(&Progress) -> anyhow::Result<Contender>,
}

/// Every peer, in the order of the tables.
pub(crate) fn all() -> Vec<Peer> {
    vec![Peer { name: "haproxy", find: haproxy }]
}

fn haproxy(progress: &Progress) -> anyhow::Result<Contender> {
    let program = debian("haproxy", progress)?;
    Ok(Contender {
        name: "haproxy".to_owned(),
        role: Role::Peer,
        version: version(Command::new(&program).arg("-v"))?,
        takes_part: |case| case != Case::Routes10k,
        prepare: Box::new(move |place| {
            let mut command = Command::new(&program);
            command.arg("-db").arg("-f").arg(fill("peers/haproxy/haproxy.cfg", place)?);
            Ok(command)
        }),
    })
}

/// A program of a Debian package of the same name, installed when this is root on Debian.
pub(crate) fn debian(name: &str, progress: &Progress) -> anyhow::Result<PathBuf> {
    if let Some(path) = on_path(name) {
        return Ok(path);
    }
    let install = format!("apt-get install {name}");
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root || on_path("apt-get").is_none() {
        bail!("{name} is not installed (on Debian: {install})");
    }
    progress.line(&format!("installing {name}"));
    let status = Command::new("apt-get")
        .args(["install", "--yes", "--quiet=2", "--no-install-recommends", name])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()?;
    if !status.success() {
        bail!("`{install}` failed");
    }
    on_path(name).with_context(|| format!("the package {name} brought no program {name}"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places.map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}
