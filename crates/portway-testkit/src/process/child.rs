//! The child process.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::output::{Output, Stream};
use super::outside;
use crate::deadline::{DEADLINE, within};

/// A running executable. It is killed on drop.
pub struct Process {
    child: Child,
    pid: Pid,
    output: Output,
}

impl Process {
    /// Starts an executable with these arguments, in this environment plus `envs`.
    pub fn start(
        program: impl AsRef<Path>,
        args: &[&str],
        envs: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut command = Command::new(program.as_ref());
        command.args(args).envs(envs.iter().copied());
        Self::spawn(&mut command)
    }

    /// Starts a command in which everything but the standard streams is set.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let (stdin, stdout, stderr) = (Stdio::null(), Stdio::piped(), Stdio::piped());
        command.stdin(stdin).stdout(stdout).stderr(stderr).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            let program = command.as_std().get_program().to_string_lossy().into_owned();
            io::Error::new(error.kind(), format!("cannot start {program}: {error}"))
        })?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.expect("a child that was not waited for has a positive id");
        let stdout = child.stdout.take().expect("it was piped just above");
        let stderr = child.stderr.take().expect("it was piped just above");
        Ok(Self { child, pid, output: Output::of(stdout, stderr) })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// The lines on standard output so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<String> {
        self.output.stream(Stream::Out)
    }

    /// The lines on standard error so far.
    #[must_use]
    pub fn stderr(&self) -> Vec<String> {
        self.output.stream(Stream::Err)
    }

    /// Waits until a line on either stream is what is wanted, and returns it; a line that was
    /// printed before counts too. The error shows what was printed.
    pub async fn wait_for_line(&self, wanted: impl FnMut(&str) -> bool) -> io::Result<String> {
        self.output.wait_for(DEADLINE, wanted).await
    }

    /// Sends a signal. It fails once the process was seen to have ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.child.id().is_none() {
            // Its id may belong to another process by now.
            return Err(io::Error::new(io::ErrorKind::NotFound, "the process has ended"));
        }
        kill_process(self.pid, signal).map_err(io::Error::from)
    }

    /// Waits until the process ends; after that, its output is complete.
    pub async fn wait_exit(&mut self, limit: Duration) -> io::Result<ExitStatus> {
        let ended = within(limit, "end of the process", self.child.wait()).await;
        let status = ended.map_err(|error| {
            io::Error::new(error.kind(), format!("{error}; {}", self.output.text()))
        })?;
        self.output.drain(Duration::from_secs(1)).await;
        Ok(status)
    }

    /// The status, if the process has ended.
    pub fn try_exit(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills it and waits for its end.
    pub async fn kill(&mut self) -> io::Result<()> {
        within(DEADLINE, "end of the killed process", self.child.kill()).await
    }

    /// The memory it has in RAM, in KiB.
    pub fn rss_kib(&self) -> io::Result<u64> {
        outside::rss_kib(self.id())
    }

    /// How many files and sockets it has open.
    pub fn open_files(&self) -> io::Result<usize> {
        outside::open_files(self.id())
    }

    /// The TCP addresses on which it listens, in order.
    pub fn listening(&self) -> io::Result<Vec<SocketAddr>> {
        outside::listening(self.id())
    }
}
