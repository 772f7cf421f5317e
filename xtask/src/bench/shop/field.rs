//! The programs: the gateways, and what stands around them.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::bench::machine::Machine;
use crate::bench::process::Running;
use crate::bench::progress::Progress;
use crate::bench::sandbox::{Sandbox, free_ports};
use crate::bench::{peers, portway};

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(10);

/// A gateway that is measured, or none.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    pub(super) name: String,
    version: Option<String>,
    /// `None` where the load goes to the data service itself.
    program: Option<PathBuf>,
}

/// All that take part, and the program for the ends.
pub(super) struct Field {
    pub(super) ends: PathBuf,
    pub(super) contenders: Vec<Contender>,
}

impl Field {
    /// Builds everything as it would be released.
    pub(super) fn build(also: &[PathBuf], progress: &Progress) -> anyhow::Result<Self> {
        let package = "portway-bench-shop";
        let ours = portway::build(package, "shop-gateway", progress)?;
        let ends = portway::build(package, "shop-ends", progress)?;
        let (theirs, version) = peers::cargo("apigate-shop", "apigate", progress)?;
        let contender = |name: &str, version: Option<String>, program: PathBuf| Contender {
            name: name.to_owned(),
            version,
            program: Some(program),
        };
        let mut contenders = vec![
            Contender { name: DIRECT.to_owned(), version: None, program: None },
            contender(PORTWAY, Some(env!("CARGO_PKG_VERSION").to_owned()), ours),
            contender(APIGATE, Some(version), theirs),
        ];
        for program in also {
            let program = std::path::absolute(program)?;
            contenders.push(contender(&format!("portway at {}", program.display()), None, program));
        }
        Ok(Self { ends, contenders })
    }

    /// What is built on which version.
    pub(super) fn versions(&self) -> Vec<(String, String)> {
        let named = |one: &Contender| Some((one.name.clone(), one.version.clone()?));
        self.contenders.iter().filter_map(named).collect()
    }
}

/// The name of no gateway,
pub(super) const DIRECT: &str = "no gateway";
/// of Portway's program,
pub(super) const PORTWAY: &str = "portway";
/// and of the one it is compared with.
pub(super) const APIGATE: &str = "apigate";

/// The upstreams, which run as long as this.
pub(super) struct Ends {
    program: PathBuf,
    pub(super) auth: SocketAddr,
    pub(super) data: SocketAddr,
    _running: [Running; 2],
}

impl Ends {
    pub(super) fn start(
        machine: &Machine,
        sandbox: &Sandbox,
        program: PathBuf,
    ) -> anyhow::Result<Self> {
        let [auth, data] = free_ports()?;
        let start = |name: &str, address: SocketAddr| {
            let mut command = Command::new(&program);
            command.arg(name).arg(address.to_string());
            start(name, machine.upstream, &command, &sandbox.path(name), address)
        };
        let running = [start("auth", auth)?, start("data", data)?];
        Ok(Self { program, auth, data, _running: running })
    }

    /// The beginning of a load's command line.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }
}

/// A contender that can be loaded.
pub(super) struct Started {
    pub(super) address: SocketAddr,
    pub(super) process: Option<Running>,
}

impl Contender {
    /// Starts it on the measured core, in front of the upstreams.
    pub(super) fn start(
        &self,
        machine: &Machine,
        sandbox: &Sandbox,
        ends: &Ends,
    ) -> anyhow::Result<Started> {
        let Some(program) = &self.program else {
            return Ok(Started { address: ends.data, process: None });
        };
        let [listen] = free_ports()?;
        let mut command = Command::new(program);
        command.arg(listen.to_string());
        command.arg(format!("http://{}", ends.auth)).arg(format!("http://{}", ends.data));
        // A name may be a path.
        let folder = sandbox.path(&self.name.replace('/', "-"));
        let process = start(&self.name, machine.measured, &command, &folder, listen)?;
        Ok(Started { address: listen, process: Some(process) })
    }
}

fn start(
    name: &str,
    core: usize,
    command: &Command,
    folder: &Path,
    listen: SocketAddr,
) -> anyhow::Result<Running> {
    std::fs::create_dir_all(folder)?;
    let mut process = Running::start(name, core, command, folder)?;
    process
        .wait_until(START, || TcpStream::connect(listen).ok())
        .with_context(|| format!("{name} does not start"))?;
    Ok(process)
}
