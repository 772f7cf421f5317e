//! What the stage does for a plugin.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use portway_plugin::{BoxFuture, Busy, Counter, Error, Hosting, Level, Request, Response, Result};
use tokio::{task::AbortHandle, time::Instant};

/// Answers what a plugin asks of other servers.
pub(super) type Fetch = Arc<dyn Fn(Request) -> Result<Response> + Send + Sync>;

/// Stands behind the host of a plugin on stage.
pub(super) struct Outside {
    pub(super) plugin: &'static str,
    pub(super) fetch: Mutex<Option<Fetch>>,
    pub(super) log: Mutex<Vec<(Level, String)>>,
    pub(super) busy: AtomicBool,
    pub(super) blocking: AtomicUsize,
    counters: Mutex<BTreeMap<String, Counter>>,
    tasks: Mutex<Vec<AbortHandle>>,
    began: Instant,
    cores: usize,
}

/// The wall clock: right when a test first looks at it, from then on it moves with tokio's.
pub(super) fn now() -> SystemTime {
    thread_local! {
        static EPOCH: (SystemTime, Instant) = (SystemTime::now(), Instant::now());
    }
    let (start, epoch) = EPOCH.with(|epoch| *epoch);
    start + (Instant::now() - epoch)
}

impl Outside {
    pub(super) fn new(plugin: &'static str, cores: usize) -> Self {
        now();
        Self {
            plugin,
            fetch: Mutex::default(),
            log: Mutex::default(),
            busy: AtomicBool::new(false),
            blocking: AtomicUsize::new(0),
            counters: Mutex::default(),
            tasks: Mutex::default(),
            began: Instant::now(),
            cores,
        }
    }
}

impl Hosting for Outside {
    fn plugin(&self) -> &'static str {
        self.plugin
    }

    fn instance(&self) -> &str {
        self.plugin
    }

    fn fetch(&self, request: Request, _: Duration) -> BoxFuture<'static, Result<Response>> {
        let fetch = self.fetch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            match fetch {
                Some(fetch) => fetch(request),
                None => Err(Error::gateway("fetch_refused", "nobody answers on this stage")),
            }
        })
    }

    fn now(&self) -> SystemTime {
        now()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn random(&self, bytes: &mut [u8]) {
        // Good enough for a stage: every call gives other bytes, and one says nothing of the next
        // (the finalizer of splitmix64).
        static CALLS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        for chunk in bytes.chunks_mut(8) {
            let call = CALLS.fetch_add(1, Relaxed);
            let mut word = call.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let word = (word ^ (word >> 31)).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        let task = tokio::spawn(work).abort_handle();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> std::result::Result<(), Busy> {
        if self.busy.load(Relaxed) {
            return Err(Busy);
        }
        self.blocking.fetch_add(1, Relaxed);
        tokio::task::spawn_blocking(work);
        Ok(())
    }

    fn counter(&self, name: &str) -> Counter {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.entry(name.to_owned()).or_default().clone()
    }

    fn log(&self, level: Level, text: &str) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push((level, text.to_owned()));
    }

    fn cores(&self) -> usize {
        self.cores
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}
