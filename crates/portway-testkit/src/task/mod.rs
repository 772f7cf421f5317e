//! A task that has an owner: it ends when its owner is dropped.

use std::future::Future;

use tokio::task::JoinHandle;

/// A running task, ended on drop.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }

    /// Ends the task and waits until everything it held is dropped.
    pub(crate) async fn stop(mut self) {
        self.0.abort();
        // An error says that it was ended, which is what was asked for.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
