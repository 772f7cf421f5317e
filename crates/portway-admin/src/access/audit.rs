//! What was asked for, by whom, and what came of it: one line of JSON for each.

use std::{
    collections::VecDeque,
    fmt, fs,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    iter,
    net::IpAddr,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use portway_config::LogOutput;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{By, Moment};

/// The lines that wait for a file which does not keep up.
const WAITING: usize = 1024;
/// The records that are remembered where there is no file to read them from.
const KEPT: usize = 1000;
/// How much of a file is read at a time.
const PIECE: u64 = 64 * 1024;
/// How much of a file is looked at for one page.
const LOOKED_AT: u64 = 16 << 20;
/// How long a reader waits for what is being written.
const PATIENCE: Duration = Duration::from_secs(2);

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

/// Some records, the last one first.
#[derive(Debug, Default)]
pub struct AuditPage {
    /// The records.
    pub records: Vec<AuditRecord>,
    /// Where the page before this one ends, when there is one.
    pub before: Option<u64>,
}

/// Where the records go. Writing never waits for a file: a thread appends them. When it is dropped,
/// what was written is in the file.
pub struct AuditLog {
    kind: Kind,
    /// The last records, where they do not go to a file that could be read.
    recent: Option<Mutex<Recent>>,
}

enum Kind {
    /// The process log, which has a thread of its own.
    ProcessLog,
    Thread(Arc<Lost>, LogOutput, Option<(SyncSender<Line>, JoinHandle<()>)>),
}

enum Line {
    Record(Vec<u8>),
    /// Whoever drops the other end is told when everything before is written.
    Flush(SyncSender<()>),
}

#[derive(Debug, Default)]
struct Lost(AtomicU64);

/// Records in memory, by the number of how many came before each.
#[derive(Default)]
struct Recent {
    records: VecDeque<AuditRecord>,
    first: u64,
}

impl Recent {
    fn push(&mut self, record: AuditRecord) {
        if self.records.len() == KEPT {
            self.records.pop_front();
            self.first += 1;
        }
        self.records.push_back(record);
    }

    fn page(&self, before: Option<u64>, limit: usize) -> AuditPage {
        let count = before.map_or(usize::MAX, |before| {
            usize::try_from(before.saturating_sub(self.first)).unwrap_or(usize::MAX)
        });
        let end = count.min(self.records.len());
        let start = end.saturating_sub(limit);
        let records = self.records.range(start..end).rev().cloned().collect();
        let at = self.first + u64::try_from(start).unwrap_or(u64::MAX);
        AuditPage { records, before: (start > 0).then_some(at) }
    }
}

impl AuditLog {
    /// To the process log, under the target `portway::audit`.
    #[must_use]
    pub fn to_process_log() -> Self {
        Self { kind: Kind::ProcessLog, recent: Some(Mutex::default()) }
    }

    /// To an output. A file is made with mode 0600, appended to, and opened anew for each batch of
    /// lines, so that it may be moved away at any time.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn open(output: &LogOutput) -> io::Result<Self> {
        let is_file = matches!(output, LogOutput::File(_));
        if let LogOutput::File(path) = output {
            append(path)?;
        }
        let (sender, receiver) = sync_channel(WAITING);
        let lost = Arc::new(Lost::default());
        let (to, counter) = (output.clone(), Arc::clone(&lost));
        let name = "portway-audit".to_owned();
        let thread =
            thread::Builder::new().name(name).spawn(move || write_all(&receiver, &to, &counter))?;
        let kind = Kind::Thread(lost, output.clone(), Some((sender, thread)));
        Ok(Self { kind, recent: (!is_file).then(Mutex::default) })
    }

    /// Writes a record.
    pub fn write(&self, record: &AuditRecord) {
        if let Some(recent) = &self.recent {
            recent.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
        }
        let Ok(mut line) = serde_json::to_vec(record) else { return };
        match &self.kind {
            Kind::ProcessLog => {
                let line = String::from_utf8_lossy(&line);
                tracing::info!(target: "portway::audit", "{line}");
            }
            Kind::Thread(lost, _, writer) => {
                line.push(b'\n');
                let sent = writer.as_ref().map(|(sender, _)| sender.try_send(Line::Record(line)));
                if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) = sent {
                    lost.0.fetch_add(1, Relaxed);
                }
            }
        }
    }

    /// Reads the last records that were written, or the last ones before those of a page. Of a log
    /// that is no file, some are remembered. Blocks.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self, before: Option<u64>, limit: usize) -> io::Result<AuditPage> {
        if let Some(recent) = &self.recent {
            let recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(recent.page(before, limit));
        }
        let Kind::Thread(_, LogOutput::File(path), writer) = &self.kind else {
            return Ok(AuditPage::default());
        };
        if let Some((sender, _)) = writer {
            let (done, is_done) = sync_channel(0);
            if sender.try_send(Line::Flush(done)).is_ok() {
                // What a slow disk has not taken by then is read the next time.
                let _ = is_done.recv_timeout(PATIENCE);
            }
        }
        read_back(path, before, limit)
    }

    /// How many records could not be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        match &self.kind {
            Kind::ProcessLog => 0,
            Kind::Thread(lost, ..) => lost.0.load(Relaxed),
        }
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        if let Kind::Thread(_, _, writer) = &mut self.kind
            && let Some((sender, thread)) = writer.take()
        {
            drop(sender);
            // It has nothing to tell, and a panic was reported where it happened.
            let _ = thread.join();
        }
    }
}

fn write_all(lines: &Receiver<Line>, output: &LogOutput, lost: &Lost) {
    while let Ok(first) = lines.recv() {
        let (mut batch, mut count, mut flushed) = (Vec::new(), 0, Vec::new());
        for line in iter::once(first).chain(lines.try_iter()).take(WAITING) {
            match line {
                Line::Record(line) => {
                    batch.extend(line);
                    count += 1;
                }
                Line::Flush(done) => flushed.push(done),
            }
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
        // Who waited is told by the end of their channels.
        drop(flushed);
    }
}

/// Reads a file of records from its end, or from where a page before ended.
fn read_back(path: &Path, before: Option<u64>, limit: usize) -> io::Result<AuditPage> {
    let mut file = match fs::File::open(path) {
        // It was moved away, and nothing was written since.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(AuditPage::default()),
        file => file?,
    };
    // What lies between where is read and where the last record that was told begins.
    let mut start = before.unwrap_or(u64::MAX).min(file.metadata()?.len());
    let (mut rest, mut records, mut looked_at) = (Vec::new(), Vec::new(), 0);
    while records.len() < limit && looked_at < LOOKED_AT {
        let line = match rest.strip_suffix(b"\n").unwrap_or(&rest).iter().rposition(|b| *b == b'\n')
        {
            Some(at) => rest.split_off(at + 1),
            None if start == 0 => std::mem::take(&mut rest),
            None => {
                let piece = start.min(PIECE);
                start -= piece;
                looked_at += piece;
                file.seek(SeekFrom::Start(start))?;
                let mut earlier = Vec::new();
                (&file).take(piece).read_to_end(&mut earlier)?;
                earlier.append(&mut rest);
                rest = earlier;
                continue;
            }
        };
        if line.is_empty() {
            break;
        }
        // A line of somebody else's is none of the records.
        records.extend(serde_json::from_slice::<AuditRecord>(&line).ok());
    }
    let told = start + u64::try_from(rest.len()).unwrap_or(u64::MAX);
    Ok(AuditPage { records, before: (told > 0).then_some(told) })
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
