//! The task that decides when to read.

use std::{
    collections::HashSet,
    future::pending,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use portway_config::Catalog;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};

use super::{
    latest::Latest,
    reading::{Digest, Reading, Stamps, read_with_stamps},
    signal::Signals,
    trail::trail,
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

/// The watch over one file and those it refers to.
pub(super) struct Watching {
    path: PathBuf,
    catalog: Catalog,
    pace: Pace,
    reread: Arc<Notify>,
    readings: mpsc::Sender<Reading>,
    signals: Arc<Signals>,
    /// `None` when the system gives no notices.
    watcher: Option<RecommendedWatcher>,
    folders: HashSet<PathBuf>,
    /// How the files looked before the last reading.
    stamps: Stamps,
    /// How they looked at the last look between readings, when that was different.
    unsettled: Option<Stamps>,
    told: Option<Digest>,
    waiting: Latest,
}

impl Watching {
    pub(super) fn new(
        path: PathBuf,
        catalog: Catalog,
        pace: Pace,
        reread: Arc<Notify>,
        readings: mpsc::Sender<Reading>,
    ) -> Self {
        let stamps = Stamps::of([&*path]);
        Self {
            path,
            catalog,
            pace,
            reread,
            readings,
            signals: Arc::default(),
            watcher: None,
            folders: HashSet::new(),
            stamps,
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
        let (path, catalog) = (self.path.clone(), self.catalog.clone());
        let reading = tokio::task::spawn_blocking(move || read_with_stamps(&path, &catalog)).await;
        // The reading does not panic; it is cancelled only when the runtime shuts down.
        let Ok((reading, stamps)) = reading else { return None };
        self.stamps = stamps;
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
            path = %self.path.display(),
            error = %error,
            seconds = self.pace.poll.as_secs(),
            "the system gives no notice of file changes: looking at the files every few seconds"
        );
    }

    /// Finds out which entries matter now and asks for notices about their folders.
    fn follow(&mut self) {
        let entries = self.entries();
        let folders = entries
            .iter()
            .filter_map(|entry| entry.parent())
            .map(Path::to_owned)
            .collect::<HashSet<_>>();
        self.signals.follow(entries);
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

    fn entries(&self) -> HashSet<PathBuf> {
        let trails = self.stamps.paths().map(|path| {
            // A circle of links leads nowhere; the entry itself can still be replaced.
            trail(path).unwrap_or_else(|_| vec![path.to_owned()])
        });
        trails.flatten().collect()
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
