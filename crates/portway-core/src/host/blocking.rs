//! Threads for work that takes long: few, of low priority, with a short queue.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use portway_plugin::Busy;

/// Calls that may wait for each thread. A password takes some 50 ms to hash: the last one in the
/// queue waits for less than a second.
const WAITING: usize = 16;
/// How much less they are worth to the scheduler than the threads that serve requests.
const NICE: i32 = 15;

type Work = Box<dyn FnOnce() + Send>;

/// The threads, which are started when there is work for the first time.
pub(super) struct Threads {
    count: usize,
    queue: OnceLock<SyncSender<Work>>,
}

impl Threads {
    /// One thread for two cores, at least one.
    pub(super) fn new(cores: usize) -> Self {
        Self { count: (cores / 2).max(1), queue: OnceLock::new() }
    }

    /// Hands work to a thread.
    pub(super) fn run(&self, work: Work) -> Result<(), Busy> {
        self.queue.get_or_init(|| start(self.count)).try_send(work).map_err(|_| Busy)
    }
}

fn start(count: usize) -> SyncSender<Work> {
    let (queue, work) = sync_channel(count * WAITING);
    let work = Arc::new(Mutex::new(work));
    for number in 0..count {
        let work = Arc::clone(&work);
        let started = thread::Builder::new()
            .name(format!("portway-block-{number}"))
            .spawn(move || serve(&work));
        if let Err(error) = started {
            tracing::error!(%error, "a thread for blocking work cannot be started");
        }
    }
    queue
}

/// Works until the gateway is gone.
fn serve(queue: &Mutex<Receiver<Work>>) {
    // On Linux this concerns the thread that asks. It may only be lowered, so it cannot be refused.
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "blocking work keeps its priority");
    }
    loop {
        let work = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = work else { return };
        // Whoever waits for a result hears that there is none.
        if std::panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("blocking work of a plugin panicked");
        }
    }
}
