//! The nginx process.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::config::Config;
use crate::client::Client;
use crate::deadline::{DEADLINE, too_late};
use crate::echo::sample;
use crate::process::{Process, Signal, free_addr};

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/nginx";

/// How often a port is chosen anew when another process was faster.
const TRIES: usize = 5;

/// An nginx that has not started.
#[derive(Clone, Debug)]
pub struct Nginx {
    program: PathBuf,
    config: Config,
    files: Vec<(String, usize)>,
}

/// An nginx at work. It is killed, and its directory removed, on drop.
pub struct RunningNginx {
    addr: SocketAddr,
    // Dropped before the directory in which it works.
    process: Process,
    dir: TempDir,
}

impl Nginx {
    /// An nginx that answers `/ok` and has no files.
    #[must_use]
    pub fn new() -> Self {
        Self { program: PROGRAM.into(), config: Config::default(), files: Vec::new() }
    }

    /// Runs this executable in the place of Debian's.
    #[must_use]
    pub fn program(self, program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), ..self }
    }

    /// Serves a file of that size, with the bytes of [`sample`], under `/name`.
    #[must_use]
    pub fn file(mut self, name: &str, size: usize) -> Self {
        self.files.push((name.to_owned(), size));
        self
    }

    /// Closes each connection after so many requests; a million if not set.
    #[must_use]
    pub fn keepalive_requests(mut self, requests: u64) -> Self {
        self.config.keepalive_requests = requests;
        self
    }

    /// Closes a connection that was idle for so long; 75 seconds if not set.
    #[must_use]
    pub fn keepalive_timeout(mut self, timeout: Duration) -> Self {
        self.config.keepalive_timeout = format!("{}ms", timeout.as_millis());
        self
    }

    /// Adds a directive or a block to the `server` block.
    #[must_use]
    pub fn directive(mut self, directive: impl Into<String>) -> Self {
        self.config.directives.push(directive.into());
        self
    }

    /// Starts it and waits until it answers.
    pub async fn start(&self) -> io::Result<RunningNginx> {
        if !self.program.exists() {
            let program = self.program.display();
            let text =
                format!("there is no {program}: install nginx (apt-get install nginx-light)");
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let dir = tempfile::Builder::new().prefix("nginx-").tempdir()?;
        fs::create_dir(dir.path().join("files"))?;
        for (name, size) in &self.files {
            fs::write(dir.path().join("files").join(name), sample(*size))?;
        }
        for _ in 1..TRIES {
            match self.try_start(dir.path()).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                started => {
                    let (addr, process) = started?;
                    return Ok(RunningNginx { addr, process, dir });
                }
            }
        }
        let (addr, process) = self.try_start(dir.path()).await?;
        Ok(RunningNginx { addr, process, dir })
    }

    async fn try_start(&self, dir: &Path) -> io::Result<(SocketAddr, Process)> {
        let addr = free_addr()?;
        // Tells this server from another one that got the port before it.
        let token = format!("{}", dir.display());
        let file = dir.join("nginx.conf");
        fs::write(&file, self.config.render(dir, addr, &token))?;

        let (file, prefix) = (file.display().to_string(), format!("{}/", dir.display()));
        let args = ["-c", &file, "-p", &prefix, "-e", "stderr"];
        let mut process = Process::start(&self.program, &args, &[])?;
        let end = tokio::time::Instant::now() + DEADLINE;
        while tokio::time::Instant::now() < end {
            if let Ok(response) = Client::h1(addr).get("/ready").await
                && response.text() == token
            {
                return Ok((addr, process));
            }
            if process.try_exit()?.is_some() {
                return Err(ended(&mut process).await);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(too_late("answer from nginx", DEADLINE))
    }
}

impl Default for Nginx {
    fn default() -> Self {
        Self::new()
    }
}

impl RunningNginx {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as an `http` URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// One line for each request so far: request line, status, number of the connection, number
    /// of the request on it, with `|` between them. nginx writes it just after the answer.
    pub fn access_log(&self) -> io::Result<Vec<String>> {
        let log = fs::read_to_string(self.dir.path().join("access.log"))?;
        Ok(log.lines().map(str::to_owned).collect())
    }

    /// Stops it at once and waits for its end. When this returns, its port is free.
    pub async fn stop(mut self) -> io::Result<()> {
        self.process.signal(Signal::TERM)?;
        self.process.wait_exit(DEADLINE).await?;
        Ok(())
    }
}

/// Why it did not start.
async fn ended(process: &mut Process) -> io::Error {
    // Completes the output; the status says no more than the text.
    if let Err(error) = process.wait_exit(DEADLINE).await {
        return error;
    }
    let text = process.stderr().join("\n");
    let kind = match text.contains("Address already in use") {
        true => io::ErrorKind::AddrInUse,
        false => io::ErrorKind::InvalidInput,
    };
    io::Error::new(kind, format!("nginx did not start: {text}"))
}
