//! What the process is told by signals.

use std::{future::Future, io, sync::Arc};

use portway_core::{Stop, source::Reread};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
    task::JoinHandle,
};

/// SIGTERM and SIGINT end the gateway, SIGHUP reads its files again. Heard while this value lives;
/// afterwards they are ignored, because a process cannot go back to not hearing them.
#[derive(Debug)]
pub(crate) struct Signals {
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Signals {
    /// Begins to listen.
    pub(crate) fn listen(reread: Option<Reread>) -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        let hangup = signal(SignalKind::hangup())?;
        let stop = Arc::new(Notify::new());
        let task = tokio::spawn(pass_on(terminate, interrupt, hangup, Arc::clone(&stop), reread));
        Ok(Self { stop, task })
    }

    /// Waits for the next signal to end, be it one that came before.
    pub(crate) fn stop(&self) -> impl Future<Output = Stop> + use<> {
        let stop = Arc::clone(&self.stop);
        async move {
            stop.notified().await;
            Stop::Drain
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(
    mut terminate: Signal,
    mut interrupt: Signal,
    mut hangup: Signal,
    stop: Arc<Notify>,
    reread: Option<Reread>,
) {
    loop {
        tokio::select! {
            _ = terminate.recv() => stop.notify_one(),
            _ = interrupt.recv() => stop.notify_one(),
            _ = hangup.recv() => reread.iter().for_each(Reread::ask),
        }
    }
}
