//! A program that takes part: how it is configured and started. What differs between programs is
//! data here; the steps are the same for all.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use portway_testkit::tls::Authority;
use serde::Serialize;

use super::case::{Case, Form};
use super::{machine::Machine, process::Running, sandbox};

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
    /// What it is configured for.
    pub(crate) form: Form,
    /// A folder in memory of its own, for configuration and logs. Where TLS is spoken it holds
    /// `certificate.pem` and its key, `certificate.pem.key`.
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
        form: Form,
        folder: PathBuf,
    ) -> anyhow::Result<Started> {
        std::fs::create_dir_all(&folder)?;
        let [listen, side] = sandbox::free_ports()?;
        if form.secure() {
            certificate(&folder)?;
        }
        let place = Place { listen, side, upstream, form, folder: &folder };
        let command = (self.prepare)(&place)?;
        let process = Running::start(&self.name, machine.measured, &command, &folder)?;
        Ok(Started { listen, process, folder })
    }
}

/// Makes a certificate with a key on P-256. It stands alone, without one of an authority, as little
/// as a handshake can carry.
fn certificate(folder: &Path) -> anyhow::Result<()> {
    let identity = Authority::new()?.issue(&["localhost", "127.0.0.1"])?;
    std::fs::write(folder.join("certificate.pem"), identity.cert_pem)?;
    std::fs::write(folder.join("certificate.pem.key"), identity.key_pem)?;
    Ok(())
}
