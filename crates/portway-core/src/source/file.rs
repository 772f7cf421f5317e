//! The source as its owner sees it.

use std::{path::Path, sync::Arc};

use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{
    reading::{ReadError, Reading},
    watching::{Pace, Watching},
};

/// A configuration file that is read, and watched for as long as this value lives.
#[derive(Debug)]
pub struct FileSource {
    events: mpsc::Receiver<Event>,
    reread: Reread,
    task: JoinHandle<()>,
}

/// What there is to say about the file.
#[derive(Debug)]
pub enum Event {
    /// There is another content than the last event told of. It may be full of problems.
    Changed(Reading),
    /// The file is gone or cannot be read. What was read before still stands.
    Failed(ReadError),
}

/// Asks for an event even if nothing changed.
#[derive(Clone, Debug, Default)]
pub struct Reread(Arc<Notify>);

impl FileSource {
    /// Begins to watch `path` on `runtime`. The first event tells what is there now.
    pub fn start(path: &Path, runtime: &Handle) -> Self {
        Self::start_at(path, runtime, Pace::default())
    }

    pub(super) fn start_at(path: &Path, runtime: &Handle, pace: Pace) -> Self {
        // One event waits here and the newest ones wait in the task: a slow owner meets what is
        // newest, not all that was.
        let (sender, events) = mpsc::channel(1);
        let reread = Reread::default();
        let watching = Watching::new(path.to_owned(), pace, Arc::clone(&reread.0), sender);
        Self { events, reread, task: runtime.spawn(watching.run()) }
    }

    /// Waits for the next event. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            // The task ends when this value is dropped, and not before.
            None => std::future::pending().await,
        }
    }

    /// What makes the file be read again and told of even if nothing changed, as on SIGHUP.
    #[must_use]
    pub fn reread(&self) -> Reread {
        self.reread.clone()
    }
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
