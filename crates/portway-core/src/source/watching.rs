//! The task that decides when to read.

use std::{
    collections::{BTreeMap, HashSet},
    future::pending,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use portway_config::SecretId;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    folder::{Found, find},
    latest::Latest,
    reading::{Depends, Digest, Reading, Wanted},
    signal::Signals,
    stamps::Stamps,
    trail::{resolved, trails},
};

/// How long the task waits for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// After something was completed, so that what belongs together is read together.
    pub(super) gather: Duration,
    /// After something began that is never said to be complete.
    pub(super) quiet: Duration,
    /// Between two looks when the system gives no notices.
    pub(super) poll: Duration,
    /// Between two looks when it does. Network file systems and directories that were replaced
    /// give none.
    pub(super) patrol: Duration,
    /// Whether to ask the system for notices.
    pub(super) notices: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(20),
            quiet: Duration::from_secs(2),
            poll: Duration::from_secs(2),
            patrol: Duration::from_secs(10),
            notices: true,
        }
    }
}

/// What of a reading is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tell {
    News,
    Everything,
}

/// The watch over files and directories, and over what they refer to.
pub(super) struct Watching {
    wanted: Arc<Wanted>,
    pace: Pace,
    reread: Arc<Notify>,
    readings: mpsc::Sender<Reading>,
    signals: Arc<Signals>,
    /// `None` when the system gives no notices.
    watcher: Option<RecommendedWatcher>,
    folders: HashSet<PathBuf>,
    /// How the files looked before the last reading.
    stamps: Stamps,
    /// The secrets of others that the last reading asked for, and what they were.
    asked: BTreeMap<SecretId, Option<String>>,
    vault: watch::Receiver<()>,
    /// How they looked at the last look between readings, when that was different.
    unsettled: Option<Stamps>,
    told: Option<Digest>,
    waiting: Latest,
}

impl Watching {
    pub(super) fn new(
        wanted: Wanted,
        pace: Pace,
        reread: Arc<Notify>,
        readings: mpsc::Sender<Reading>,
    ) -> Self {
        let stamps = Stamps::of(&wanted.paths);
        let vault = wanted.vault.changes();
        Self {
            wanted: Arc::new(wanted),
            pace,
            reread,
            readings,
            signals: Arc::default(),
            watcher: None,
            folders: HashSet::new(),
            stamps,
            asked: BTreeMap::new(),
            vault,
            unsettled: None,
            told: None,
            waiting: Latest::default(),
        }
    }

    /// Watches for ever. It ends by being aborted, when the source is dropped.
    pub(super) async fn run(mut self) {
        if self.pace.notices {
            self.ask_for_notices();
        }
        // Before the first reading, so that no change falls between the two.
        self.follow();
        let mut due = self.read(Tell::News).await;
        let mut look_at = Instant::now() + self.look_every();
        loop {
            let signals = Arc::clone(&self.signals);
            let reread = Arc::clone(&self.reread);
            let readings = self.readings.clone();
            tokio::select! {
                permit = readings.reserve(), if !self.waiting.is_empty() => {
                    let Ok(permit) = permit else { return };
                    if let Some(reading) = self.waiting.pop() {
                        permit.send(reading);
                    }
                }
                () = reread.notified() => due = self.read(Tell::Everything).await,
                () = signals.news() => {
                    self.follow();
                    let wait =
                        if signals.unsettled() { self.pace.quiet } else { self.pace.gather };
                    due = Some(Instant::now() + wait);
                }
                Ok(()) = self.vault.changed() => {
                    if self.secrets_changed() {
                        due = due.or_else(|| Some(Instant::now()));
                    }
                }
                () = until(due) => due = self.read(Tell::News).await,
                () = sleep_until(look_at) => {
                    if due.is_none() {
                        due = self.look().await;
                    }
                    look_at = Instant::now() + self.look_every();
                }
            }
        }
    }

    /// Reads the files. Returns when to read again, if that is known already.
    async fn read(&mut self, tell: Tell) -> Option<Instant> {
        self.signals.settle();
        self.unsettled = None;
        let wanted = Arc::clone(&self.wanted);
        let reading = tokio::task::spawn_blocking(move || wanted.read()).await;
        // The reading does not panic; it is cancelled only when the runtime shuts down.
        let Ok((reading, Depends { stamps, asked })) = reading else { return None };
        (self.stamps, self.asked) = (stamps, asked);
        self.follow();
        self.tell(tell, reading);
        // Files that were referred to for the first time may have changed before their folders
        // were followed.
        (self.stamps.now() != self.stamps).then(|| Instant::now() + self.pace.quiet)
    }

    fn tell(&mut self, tell: Tell, reading: Reading) {
        if tell == Tell::News && self.told == Some(reading.digest) {
            return;
        }
        self.told = Some(reading.digest);
        self.waiting.push(reading);
    }

    /// Looks at the files without being told to. What looks different twice in the same way is
    /// no longer being written.
    async fn look(&mut self) -> Option<Instant> {
        self.follow();
        let now = self.stamps.now();
        if now == self.stamps {
            self.unsettled = None;
        } else if self.unsettled.as_ref() == Some(&now) {
            return self.read(Tell::News).await;
        } else {
            self.unsettled = Some(now);
        }
        None
    }

    /// Whether a secret of others is another than when it was asked for.
    fn secrets_changed(&self) -> bool {
        let Wanted { vault, origin, .. } = &*self.wanted;
        self.asked.iter().any(|(id, value)| vault.get(id, origin) != *value)
    }

    fn look_every(&self) -> Duration {
        if self.watcher.is_some() { self.pace.patrol } else { self.pace.poll }
    }

    fn ask_for_notices(&mut self) {
        let signals = Arc::clone(&self.signals);
        match notify::recommended_watcher(move |notice| signals.notice(&notice)) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => self.do_without_notices(&error),
        }
    }

    fn do_without_notices(&mut self, error: &notify::Error) {
        self.watcher = None;
        tracing::warn!(
            origin = %self.wanted.origin,
            error = %error,
            seconds = self.pace.poll.as_secs(),
            "the system gives no notice of file changes: looking at the files every few seconds"
        );
    }

    /// Finds out which entries matter now and asks for notices about their folders.
    fn follow(&mut self) {
        // Also what came after the last reading: it may be in the middle of being written.
        let Found { files, folders: found, .. } = find(&self.wanted.paths);
        let found = found.iter().map(|(folder, _)| &**folder);
        let paths = self.stamps.paths().chain(files.iter().map(PathBuf::as_path));
        let entries = trails(&paths.chain(found.clone()).collect::<Vec<_>>());
        let whole: HashSet<_> = found.filter_map(resolved).collect();
        let folders = entries.iter().filter_map(|entry| entry.parent()).map(Path::to_owned);
        let folders: HashSet<_> = folders.chain(whole.iter().cloned()).collect();
        self.signals.follow(entries, whole);
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.folders.difference(&folders) {
            // It may have ended by itself with its folder.
            let _ = watcher.unwatch(gone);
        }
        let mut failure = None;
        for folder in &folders {
            // Also those that are watched: a folder may have been replaced under its name.
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {}
                Err(error) if is_missing(&error) => {}
                Err(error) => failure = Some(error),
            }
        }
        self.folders = folders;
        if let Some(error) = failure {
            self.do_without_notices(&error);
        }
    }
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(error) => error.kind() == io::ErrorKind::NotADirectory,
        _ => false,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
