//! The source as its owner sees it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use portway_config::{Catalog, NamedSecret, Origin, Outcome, Revision, SecretId, Source};
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{
    reading::{Reading, Wanted},
    vault::Vault,
    watching::{Pace, Watching},
};

/// Configuration files and directories that are watched for as long as this value lives.
#[derive(Debug)]
pub struct FileSource {
    origin: Origin,
    number: u64,
    vault: Vault,
    /// The secrets of what was told last.
    secrets: Vec<(SecretId, String)>,
    readings: mpsc::Receiver<Reading>,
    reread: Reread,
    task: JoinHandle<()>,
}

/// Makes a source read its files and tell of it even if nothing changed, as on SIGHUP.
#[derive(Clone, Debug, Default)]
pub struct Reread(Arc<Notify>);

impl FileSource {
    /// Begins to watch the file or directory `path` on `runtime`, whose documents may say what
    /// `catalog` has. The first revision tells what is there now.
    #[must_use]
    pub fn start(path: &Path, catalog: &Catalog, runtime: &Handle) -> Self {
        Self::start_all(&[path.to_owned()], catalog, &Vault::default(), runtime)
    }

    /// The same for several paths, which are read together: what one of them says may refer to
    /// what another has, and all of it is told as one. Secrets they do not have themselves are
    /// those of others in `vault`.
    #[must_use]
    pub fn start_all(
        paths: &[PathBuf],
        catalog: &Catalog,
        vault: &Vault,
        runtime: &Handle,
    ) -> Self {
        let wanted = Wanted::new(paths.to_owned(), catalog, vault.clone());
        Self::start_at(wanted, runtime, Pace::default())
    }

    pub(super) fn start_at(wanted: Wanted, runtime: &Handle, pace: Pace) -> Self {
        // One reading waits here and the newest ones wait in the task: a slow owner meets what
        // is newest, not all that was.
        let (sender, readings) = mpsc::channel(1);
        let reread = Reread::default();
        let (origin, vault) = (wanted.origin.clone(), wanted.vault.clone());
        let watching = Watching::new(wanted, pace, Arc::clone(&reread.0), sender);
        Self {
            origin,
            number: 0,
            vault,
            secrets: Vec::new(),
            readings,
            reread,
            task: runtime.spawn(watching.run()),
        }
    }

    /// What makes the files be read again.
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
        let read = reading.content.iter().flat_map(|loaded| &loaded.config.secrets);
        self.secrets = read.map(NamedSecret::revealed).collect();
        Some(Revision { origin, number: self.number, content: reading.content })
    }

    fn learn(&mut self, outcome: &Outcome) {
        if outcome.is_applied() {
            self.vault.set(&self.origin, std::mem::take(&mut self.secrets));
        }
    }
}

impl Reread {
    /// Asks. Several times before the files were read are as good as one.
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
