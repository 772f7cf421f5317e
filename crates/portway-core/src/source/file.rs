//! The source as its owner sees it.

use std::{path::Path, sync::Arc};

use portway_config::{Catalog, Origin, Outcome, Revision, Source};
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{
    reading::Reading,
    watching::{Pace, Watching},
};

/// A configuration file that is watched for as long as this value lives.
#[derive(Debug)]
pub struct FileSource {
    origin: Origin,
    number: u64,
    readings: mpsc::Receiver<Reading>,
    reread: Reread,
    task: JoinHandle<()>,
}

/// Makes a source read its file and tell of it even if nothing changed, as on SIGHUP.
#[derive(Clone, Debug, Default)]
pub struct Reread(Arc<Notify>);

impl FileSource {
    /// Begins to watch `path` on `runtime`, whose documents may say what `catalog` has. The first revision tells what is there now.
    #[must_use]
    pub fn start(path: &Path, catalog: &Catalog, runtime: &Handle) -> Self {
        Self::start_at(path, catalog, runtime, Pace::default())
    }

    pub(super) fn start_at(path: &Path, catalog: &Catalog, runtime: &Handle, pace: Pace) -> Self {
        // One reading waits here and the newest ones wait in the task: a slow owner meets what
        // is newest, not all that was.
        let (sender, readings) = mpsc::channel(1);
        let reread = Reread::default();
        let watching =
            Watching::new(path.to_owned(), catalog.clone(), pace, Arc::clone(&reread.0), sender);
        Self {
            origin: Origin::new(format!("file:{}", path.display())),
            number: 0,
            readings,
            reread,
            task: runtime.spawn(watching.run()),
        }
    }

    /// What makes the file be read again.
    #[must_use]
    pub fn reread(&self) -> Reread {
        self.reread.clone()
    }
}

impl Source for FileSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Dropping the future loses nothing.
    async fn next(&mut self) -> Option<Revision> {
        let reading = self.readings.recv().await?;
        self.number += 1;
        let origin = self.origin.clone();
        Some(Revision { origin, number: self.number, content: reading.content })
    }

    fn learn(&mut self, _: &Outcome) {}
}

impl Reread {
    /// Asks. Several times before the file was read are as good as one.
    pub fn ask(&self) {
        self.0.notify_one();
    }
}

#[cfg(test)]
impl Reread {
    /// How many hold on to the watch: its askers, and its task while it runs.
    pub(super) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

impl Drop for FileSource {
    fn drop(&mut self) {
        self.task.abort();
    }
}
