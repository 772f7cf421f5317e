//! A program that takes part: how it is configured and started. What differs between programs is
//! data here; the steps are the same for all.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde::Serialize;

use super::{case::Case, machine::Machine, process::Running, sandbox};
use crate::workspace;

/// What a contender is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// The yardstick.
    Floor,
    /// Portway with one route, or with ten thousand.
    Portway,
    /// Everybody else.
    Peer,
}

impl Role {
    /// One word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Portway => "portway",
            Self::Peer => "peer",
        }
    }
}

/// Where a contender listens, sends to, and may write.
pub(crate) struct Place<'a> {
    /// The address to listen on.
    pub(crate) listen: SocketAddr,
    /// A second free address, for those who must have a probe or admin listener.
    pub(crate) side: SocketAddr,
    /// The upstream.
    pub(crate) upstream: SocketAddr,
    /// A folder in memory of its own, for configuration and logs.
    pub(crate) folder: &'a Path,
}

/// Writes a configuration into a place and says how to start the program with it.
pub(crate) type Prepare = Box<dyn Fn(&Place<'_>) -> anyhow::Result<Command>>;

/// A program that can be measured.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// As the program itself says it.
    pub(crate) version: String,
    /// Cases it takes part in.
    pub(crate) takes_part: fn(Case) -> bool,
    /// Writes its configuration into its place and says how to start it.
    pub(crate) prepare: Prepare,
}

/// A contender that runs.
pub(crate) struct Started {
    pub(crate) listen: SocketAddr,
    pub(crate) process: Running,
    /// Its own folder, where its log grows.
    pub(crate) folder: PathBuf,
}

impl Contender {
    /// Starts it on the measured core.
    pub(crate) fn start(
        &self,
        machine: &Machine,
        upstream: SocketAddr,
        folder: PathBuf,
    ) -> anyhow::Result<Started> {
        std::fs::create_dir_all(&folder)?;
        let [listen, side] = sandbox::free_ports()?;
        let place = Place { listen, side, upstream, folder: &folder };
        let command = (self.prepare)(&place)?;
        let process = Running::start(&self.name, machine.measured, &command, &folder)?;
        Ok(Started { listen, process, folder })
    }
}

/// Fills in a template of `bench/` and writes it into the place; returns the file's path.
///
/// The placeholders are `@LISTEN@`, `@LISTEN_PORT@`, `@SIDE@`, `@SIDE_PORT@`, `@UPSTREAM@`,
/// `@UPSTREAM_PORT@` and `@FOLDER@`.
pub(crate) fn fill(template: &str, place: &Place<'_>) -> anyhow::Result<PathBuf> {
    let source = workspace::root().join("bench").join(template);
    let text = std::fs::read_to_string(&source)
        .with_context(|| format!("cannot read {}", source.display()))?;
    let name = source.file_name().expect("a template is a file");
    let path = place.folder.join(name);
    std::fs::write(&path, filled(&text, place))?;
    Ok(path)
}

fn filled(text: &str, place: &Place<'_>) -> String {
    debug_assert_eq!(place.listen.ip(), Ipv4Addr::LOCALHOST);
    text.replace("@LISTEN@", &place.listen.to_string())
        .replace("@LISTEN_PORT@", &place.listen.port().to_string())
        .replace("@SIDE@", &place.side.to_string())
        .replace("@SIDE_PORT@", &place.side.port().to_string())
        .replace("@UPSTREAM@", &place.upstream.to_string())
        .replace("@UPSTREAM_PORT@", &place.upstream.port().to_string())
        .replace("@FOLDER@", &place.folder.display().to_string())
}
