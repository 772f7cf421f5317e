//! What the gateway does for plugins: asks others for them, works in the background, tells the
//! time, counts, logs.
//!
//! A core asks by its own connections, beside the requests it serves; work in the background and work
//! that blocks is done on the control runtime and on threads of its own, never on a core. What an
//! instance began ends with it.

mod blocking;
mod fetch;
mod guard;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use portway_plugin::{BoxFuture, Busy, Counter, Host, Hosting, Level, Request, Response, Result};
use tokio::{runtime::Handle, task::AbortHandle};

use crate::telemetry::metrics::Metrics;
use blocking::Threads;
use fetch::Fetcher;

pub(crate) use guard::Guard;

/// What all instances share.
pub(crate) struct Outside {
    runtime: Handle,
    fetcher: Arc<Fetcher>,
    threads: Threads,
    metrics: Arc<Metrics>,
    began: Instant,
    cores: usize,
}

/// The background work of one instance. Dropped, it ends.
#[derive(Default)]
pub(crate) struct Tasks(Arc<Mutex<Vec<AbortHandle>>>);

/// What the gateway does for one instance.
struct InstanceHost {
    plugin: &'static str,
    instance: Box<str>,
    outside: Arc<Outside>,
    tasks: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Outside {
    /// The outside of a gateway with so many cores, whose control work is done on `runtime`.
    pub(crate) fn new(runtime: Handle, metrics: Arc<Metrics>, cores: usize) -> Arc<Self> {
        let fetcher = Fetcher::new(runtime.clone());
        let threads = Threads::new(cores);
        Arc::new(Self { runtime, fetcher, threads, metrics, began: Instant::now(), cores })
    }

    /// The host of a new instance, and its tasks, which its owner keeps.
    pub(crate) fn host(self: &Arc<Self>, plugin: &'static str, instance: &str) -> (Host, Tasks) {
        let tasks = Tasks::default();
        let host = InstanceHost {
            plugin,
            instance: instance.into(),
            outside: Arc::clone(self),
            tasks: Arc::clone(&tasks.0),
        };
        (Host::new(Arc::new(host)), tasks)
    }

    /// What outbound requests may not reach, and by which names are resolved.
    pub(crate) fn fetcher(&self) -> &Arc<Fetcher> {
        &self.fetcher
    }
}

impl Hosting for InstanceHost {
    fn plugin(&self) -> &'static str {
        self.plugin
    }

    fn instance(&self) -> &str {
        &self.instance
    }

    fn fetch(&self, request: Request, limit: Duration) -> BoxFuture<'static, Result<Response>> {
        Box::pin(Arc::clone(&self.outside.fetcher).fetch(request, limit))
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn elapsed(&self) -> Duration {
        self.outside.began.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        // By the clock of whoever waits: a core that waits is woken by itself.
        if Handle::try_current().is_ok() {
            return Box::pin(tokio::time::sleep(time));
        }
        let sleeping = self.outside.runtime.spawn(tokio::time::sleep(time));
        Box::pin(async move {
            // The runtime ends with the process.
            let _ = sleeping.await;
        })
    }

    fn random(&self, bytes: &mut [u8]) {
        // It fails where the operating system has no randomness at all; nothing is served there.
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        let task = self.outside.runtime.spawn(work).abort_handle();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> std::result::Result<(), Busy> {
        self.outside.threads.run(work)
    }

    fn counter(&self, name: &str) -> Counter {
        self.outside.metrics.plugin_counter(&self.instance, name)
    }

    fn log(&self, level: Level, text: &str) {
        let plugin = &*self.instance;
        match level {
            Level::Debug => tracing::debug!(plugin, "{text}"),
            Level::Info => tracing::info!(plugin, "{text}"),
            Level::Warn => tracing::warn!(plugin, "{text}"),
            Level::Error => tracing::error!(plugin, "{text}"),
        }
    }

    fn cores(&self) -> usize {
        self.outside.cores
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tasks")
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("cores", &self.cores).finish_non_exhaustive()
    }
}
