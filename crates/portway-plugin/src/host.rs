//! What the gateway does for a plugin.

use std::{
    error::Error as StdError,
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use futures_channel::oneshot;

use crate::{BoxFuture, Exchange, Request, Response, Result};

/// What the gateway does for one instance of a plugin: it asks others by the gateway's own
/// connections, tells the time, waits, works in the background, counts and logs. No plugin brings
/// a client or a runtime of its own. Clones speak for the same instance.
#[derive(Clone)]
pub struct Host(Arc<dyn Hosting>);

/// What stands behind a [`Host`]. Whoever hosts plugins implements it.
pub trait Hosting: Send + Sync {
    /// The plugin's name.
    fn plugin(&self) -> &'static str;
    /// What the instance is called: by the configuration, or after its plugin.
    fn instance(&self) -> &str;
    /// See [`Host::fetch`].
    fn fetch(&self, request: Request, limit: Duration) -> BoxFuture<'static, Result<Response>>;
    /// See [`Host::now`].
    fn now(&self) -> SystemTime;
    /// See [`Host::elapsed`].
    fn elapsed(&self) -> Duration;
    /// See [`Host::sleep`].
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
    /// See [`Host::random`].
    fn random(&self, bytes: &mut [u8]);
    /// See [`Host::spawn`].
    fn spawn(&self, work: BoxFuture<'static, ()>);
    /// Runs `work` on a thread that may block.
    ///
    /// # Errors
    /// As many are at work as may be, and as many wait.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> std::result::Result<(), Busy>;
    /// See [`Host::counter`].
    fn counter(&self, name: &str) -> Counter;
    /// See [`Host::log`].
    fn log(&self, level: Level, text: &str);
    /// How many cores serve requests.
    fn cores(&self) -> usize;
}

/// How severe a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What a developer wants to see.
    Debug,
    /// What an operator wants to see.
    Info,
    /// What may need attention.
    Warn,
    /// What needs attention.
    Error,
}

/// All threads that may block are at work, and as many calls as may wait do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// A number that only grows, shown in `/metrics`.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

/// A value for each core, so that none waits for another.
#[derive(Debug)]
pub struct PerCore<T>(Box<[Apart<T>]>);

/// On cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

impl Host {
    /// A host by whoever stands behind it.
    #[must_use]
    pub fn new(hosting: Arc<dyn Hosting>) -> Self {
        Self(hosting)
    }

    /// The name of the plugin this speaks for.
    #[must_use]
    pub fn plugin(&self) -> &'static str {
        self.0.plugin()
    }

    /// What the instance is called: by the configuration, or after its plugin.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.0.instance()
    }

    /// Asks a server by the gateway's own connections, which are kept and shared. The URI is
    /// absolute, `http` or `https`, whose certificate is verified. Redirects are answers, not
    /// followed. Addresses are judged after the name was resolved: link-local and unspecified ones
    /// and the gateway's own probe and admin listeners are refused.
    ///
    /// # Errors
    /// No connection, no answer within `limit`, an address that is refused.
    pub async fn fetch(&self, request: Request, limit: Duration) -> Result<Response> {
        self.0.fetch(request, limit).await
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.0.now()
    }

    /// The time since the gateway began, by a clock that is never set.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Waits.
    pub async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }

    /// Fills `bytes` with what nobody can guess.
    pub fn random(&self, bytes: &mut [u8]) {
        self.0.random(bytes);
    }

    /// Works in the background, off the data plane, until the instance ends.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(Box::pin(work));
    }

    /// Runs `work` on one of a bounded number of threads that may block: for anything that takes
    /// more than a millisecond of processor time.
    ///
    /// # Errors
    /// Too many calls wait already, or the work panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> std::result::Result<T, Busy> {
        let (giver, taker) = oneshot::channel();
        self.0.blocking(Box::new(move || {
            // Nobody takes it when the client has left.
            let _ = giver.send(work());
        }))?;
        taker.await.map_err(|_| Busy)
    }

    /// The counter of this name: `portway_plugin_<name>_total` in `/metrics`, by plugin and
    /// instance. The name is of lower-case letters, digits and `_`.
    #[must_use]
    pub fn counter(&self, name: &str) -> Counter {
        self.0.counter(name)
    }

    /// Writes a line to the process log, under the instance's name. Secrets do not belong there.
    pub fn log(&self, level: Level, text: impl AsRef<str>) {
        self.0.log(level, text.as_ref());
    }

    /// A value for each core.
    #[must_use]
    pub fn per_core<T>(&self, mut make: impl FnMut() -> T) -> PerCore<T> {
        PerCore((0..self.0.cores().max(1)).map(|_| Apart(make())).collect())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.instance()).finish()
    }
}

impl Counter {
    /// Counts one.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// Counts so many.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl<T> PerCore<T> {
    /// The value of the core that serves this request.
    #[must_use]
    pub fn get(&self, exchange: &Exchange<'_>) -> &T {
        &self.0[exchange.core() % self.0.len()].0
    }

    /// The values of all cores.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|apart| &apart.0)
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too much is being worked on")
    }
}

impl StdError for Busy {}
