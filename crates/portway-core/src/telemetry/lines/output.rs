//! Where lines go.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use portway_config::LogOutput;

/// How often a file is looked for under its name.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait before a descriptor that would block is tried again, and how often.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSES: u32 = 50;
/// Records name clients: not for everybody's eyes.
const MODE: u32 = 0o640;

/// An open output.
#[derive(Debug)]
pub(in crate::telemetry) struct Output {
    file: File,
    /// The name of a file that log rotation may take away.
    name: Option<Name>,
    /// The last write ended within a line.
    torn: bool,
    /// The last write failed.
    failing: bool,
    /// Whether to say so in the process log, which cannot say it about itself.
    reported: bool,
}

#[derive(Debug)]
struct Name {
    path: PathBuf,
    looked: Instant,
}

/// An output could not be opened.
#[derive(Debug)]
pub struct OutputError {
    path: PathBuf,
    source: io::Error,
}

impl Output {
    /// Opens the output a configuration names. A named pipe is opened without waiting for its
    /// reader.
    pub(in crate::telemetry) fn open(output: &LogOutput) -> Result<Self, OutputError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OutputError { path, source }
        };
        match output {
            // Duplicates: the standard library's own handles lock and buffer by line.
            LogOutput::Stdout => duplicate(io::stdout().as_fd()).map_err(failed("stdout".as_ref())),
            LogOutput::Stderr => Self::stderr().map_err(failed("stderr".as_ref())),
            LogOutput::File(path) => {
                let file = append_to(path).map_err(failed(path))?;
                let name = Name { path: path.clone(), looked: Instant::now() };
                Ok(Self { name: Some(name), ..Self::from(file) })
            }
        }
    }

    /// The process's standard error.
    pub(in crate::telemetry) fn stderr() -> io::Result<Self> {
        duplicate(io::stderr().as_fd())
    }

    /// For the process log: it cannot report its own failures.
    pub(in crate::telemetry) fn unreported(self) -> Self {
        Self { reported: false, ..self }
    }

    /// Writes whole lines. Returns how many of them were lost.
    pub(super) fn write(&mut self, lines: &[u8]) -> u64 {
        if let Some(error) = self.name.is_some().then(|| self.follow_name(false)).flatten() {
            self.report(&error, "the file is gone and cannot be opened again");
        }
        let (written, outcome) = self.write_bytes(lines);
        match outcome {
            Ok(()) => {
                if std::mem::take(&mut self.failing) && self.reported {
                    tracing::info!("the access log is written again");
                }
                0
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    self.report(&error, "records are dropped");
                }
                count_lines(&lines[written..])
            }
        }
    }

    /// Opens the file again under its name, when the name now means another file or none. Looks
    /// at most once a second, or at once when told to.
    pub(super) fn follow_name(&mut self, at_once: bool) -> Option<io::Error> {
        let name = self.name.as_mut()?;
        if !at_once && name.looked.elapsed() < LOOK {
            return None;
        }
        name.looked = Instant::now();
        let is_ours = |file: &File| {
            let (there, ours) = (fs::metadata(&name.path).ok()?, file.metadata().ok()?);
            Some((there.dev(), there.ino()) == (ours.dev(), ours.ino()))
        };
        if is_ours(&self.file) == Some(true) {
            return None;
        }
        match append_to(&name.path) {
            Ok(file) => {
                self.file = file;
                self.torn = false;
                None
            }
            // The old file still takes lines, for whoever moved it.
            Err(error) => Some(error),
        }
    }

    /// How many bytes were written, and why no more were.
    fn write_bytes(&mut self, lines: &[u8]) -> (usize, io::Result<()>) {
        let mut pauses = 0;
        if self.torn {
            if let Err(error) = self.file.write_all(b"\n") {
                return (0, Err(error));
            }
            self.torn = false;
        }
        let mut written = 0;
        while written < lines.len() {
            match self.file.write(&lines[written..]) {
                Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    written += count;
                    self.torn = lines[written - 1] != b'\n';
                    pauses = 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && pauses < PAUSES => {
                    pauses += 1;
                    thread::park_timeout(PAUSE);
                }
                Err(error) => return (written, Err(error)),
            }
        }
        (written, Ok(()))
    }

    fn report(&self, error: &io::Error, what: &str) {
        if self.reported {
            let path = self.name.as_ref().map(|name| name.path.display().to_string());
            tracing::warn!(path, %error, "the access log cannot be written: {what}");
        }
    }
}

impl From<File> for Output {
    fn from(file: File) -> Self {
        Self { file, name: None, torn: false, failing: false, reported: true }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open {} for writing", self.path.display())
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The lines in whole lines.
fn count_lines(lines: &[u8]) -> u64 {
    lines.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

fn duplicate(descriptor: std::os::fd::BorrowedFd<'_>) -> io::Result<Output> {
    Ok(File::from(descriptor.try_clone_to_owned()?).into())
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(MODE);
    // Opening a named pipe for writing waits for a reader; opening it for both does not, and a
    // reader that leaves and comes back finds it open.
    let is_pipe = fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo());
    options.read(is_pipe).open(path)
}
