//! What was asked for, by whom, and what came of it: one line of JSON for each.

use std::{
    fmt, fs,
    io::{self, Write},
    net::IpAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use portway_config::LogOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{By, Moment};

/// The lines that wait for a file which does not keep up.
const WAITING: usize = 1024;

/// What somebody has asked for. Bodies, queries and credentials are never in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// When.
    pub time: Moment,
    /// Who. Empty where nobody was let in.
    pub author: String,
    /// What has shown who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// From which address.
    pub client: IpAddr,
    /// The method of the request.
    pub method: String,
    /// The path of the request, without its query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The revision that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What they said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Where the records go. Writing never waits for a file: a thread appends them. When it is dropped,
/// what was written is in the file.
pub struct AuditLog(Kind);

enum Kind {
    /// The process log, which has a thread of its own.
    ProcessLog,
    Thread(Arc<Lost>, Option<(SyncSender<Vec<u8>>, JoinHandle<()>)>),
}

#[derive(Debug, Default)]
struct Lost(AtomicU64);

impl AuditLog {
    /// To the process log, under the target `portway::audit`.
    #[must_use]
    pub fn to_process_log() -> Self {
        Self(Kind::ProcessLog)
    }

    /// To an output. A file is made with mode 0600, appended to, and opened anew for each batch of
    /// lines, so that it may be moved away at any time.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn open(output: &LogOutput) -> io::Result<Self> {
        if let LogOutput::File(path) = output {
            append(path)?;
        }
        let (sender, receiver) = sync_channel(WAITING);
        let lost = Arc::new(Lost::default());
        let (output, counter) = (output.clone(), Arc::clone(&lost));
        let name = "portway-audit".to_owned();
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || write_all(&receiver, &output, &counter))?;
        Ok(Self(Kind::Thread(lost, Some((sender, thread)))))
    }

    /// Writes a record.
    pub fn write(&self, record: &AuditRecord) {
        let Ok(mut line) = serde_json::to_vec(record) else { return };
        match &self.0 {
            Kind::ProcessLog => {
                let line = String::from_utf8_lossy(&line);
                tracing::info!(target: "portway::audit", "{line}");
            }
            Kind::Thread(lost, writer) => {
                line.push(b'\n');
                let sent = writer.as_ref().map(|(sender, _)| sender.try_send(line));
                if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) = sent {
                    lost.0.fetch_add(1, Relaxed);
                }
            }
        }
    }

    /// How many records could not be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        match &self.0 {
            Kind::ProcessLog => 0,
            Kind::Thread(lost, _) => lost.0.load(Relaxed),
        }
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        if let Kind::Thread(_, writer) = &mut self.0
            && let Some((sender, thread)) = writer.take()
        {
            drop(sender);
            // It has nothing to tell, and a panic was reported where it happened.
            let _ = thread.join();
        }
    }
}

fn write_all(lines: &Receiver<Vec<u8>>, output: &LogOutput, lost: &Lost) {
    while let Ok(mut batch) = lines.recv() {
        let mut count = 1;
        for line in lines.try_iter().take(WAITING) {
            batch.extend(line);
            count += 1;
        }
        let written = match output {
            LogOutput::Stdout => io::stdout().lock().write_all(&batch),
            LogOutput::Stderr => io::stderr().lock().write_all(&batch),
            LogOutput::File(path) => append(path).and_then(|mut file| file.write_all(&batch)),
        };
        if let Err(error) = written {
            lost.0.fetch_add(count, Relaxed);
            tracing::error!(target: "portway::audit", %error, "{count} audit records are lost");
        }
    }
}

fn append(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("lost", &self.lost()).finish_non_exhaustive()
    }
}
