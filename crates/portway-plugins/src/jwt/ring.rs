//! Keys that an identity provider publishes: fetched in the background, and again when a token
//! names one that nobody knows.
//!
//! There is one fetch at a time, whoever wants it, and a pause after each. The address is the
//! configuration's: no token has a say in it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest::{SHA256, digest};
use futures_channel::oneshot;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use portway_plugin::{
    Body, Host, Level, Request, ResponseExt,
    credential::{Algorithm, Key},
};

use super::{JwksSpec, jwk};
use crate::shown::Shown;

/// The largest document that is read.
const LARGEST: usize = 1024 * 1024;

/// The keys, and how they are kept fresh.
#[derive(Debug)]
pub(super) struct Ring {
    url: Uri,
    algorithms: Box<[Algorithm]>,
    refresh: Duration,
    cooldown: Duration,
    timeout: Duration,
    max_stale: Option<Duration>,
    current: ArcSwapOption<KeySet>,
    flight: Mutex<Flight>,
    /// Whether the last fetch failed: that is said once.
    failing: AtomicBool,
}

/// The keys of one document.
#[derive(Debug)]
pub(super) struct KeySet {
    pub(super) keys: Vec<Key>,
    /// Another number for other keys.
    pub(super) generation: u64,
    digest: Box<[u8]>,
    fetched: Duration,
}

/// The fetch that is under way, or the pause after it.
#[derive(Debug, Default)]
struct Flight {
    /// Who waits for it. `None` when there is none.
    waiting: Option<Vec<oneshot::Sender<()>>>,
    /// When tokens may lead to another.
    not_before: Duration,
}

impl Ring {
    pub(super) fn new(spec: JwksSpec) -> Arc<Self> {
        Arc::new(Self {
            url: spec.url.get().clone(),
            algorithms: spec.algorithms.into(),
            refresh: spec.refresh.get(),
            cooldown: spec.cooldown.get(),
            timeout: spec.timeout.get(),
            max_stale: spec.max_stale.limit(),
            current: ArcSwapOption::empty(),
            flight: Mutex::default(),
            failing: AtomicBool::new(false),
        })
    }

    /// Fetches the keys, and keeps doing so. Ends when the first fetch has.
    pub(super) async fn start(self: &Arc<Self>, host: &Host) {
        let (ring, own) = (Arc::clone(self), host.clone());
        host.spawn(async move {
            loop {
                ring.fetched(&own, true).await;
                let failing = ring.failing.load(Relaxed);
                let pause = if failing { ring.cooldown.min(ring.refresh) } else { ring.refresh };
                own.sleep(pause).await;
            }
        });
        self.fetched(host, true).await;
    }

    /// The keys, unless there are none or they are too old.
    pub(super) fn current(&self, host: &Host) -> Option<Arc<KeySet>> {
        let keys = self.current.load_full()?;
        let age = host.elapsed().saturating_sub(keys.fetched);
        self.max_stale.is_none_or(|most| age < most + self.refresh).then_some(keys)
    }

    /// Waits for the fetch that is under way, or for a new one. When there was one a moment ago,
    /// only who `insists` gets another.
    pub(super) async fn fetched(self: &Arc<Self>, host: &Host, insists: bool) {
        let (giver, taker) = oneshot::channel();
        let begins = {
            let mut flight = self.flight();
            let not_before = flight.not_before;
            match &mut flight.waiting {
                Some(waiting) => {
                    waiting.push(giver);
                    false
                }
                None if !insists && host.elapsed() < not_before => return,
                None => {
                    flight.waiting = Some(vec![giver]);
                    true
                }
            }
        };
        if begins {
            // Of its own: whoever began it may leave.
            let landing = Landing { ring: Arc::clone(self), host: host.clone() };
            host.spawn(async move { landing.ring.fetch(&landing.host).await });
        }
        // Dropped or sent, it is over.
        let _ = taker.await;
    }

    async fn fetch(&self, host: &Host) {
        match self.ask(host).await {
            Ok(keys) => {
                if self.failing.swap(false, Relaxed) {
                    host.log(
                        Level::Info,
                        format!("the keys of {} can be read again", Shown(&self.url)),
                    );
                }
                self.current.store(Some(Arc::new(keys)));
            }
            Err(why) if !self.failing.swap(true, Relaxed) => {
                let so = match self.current(host) {
                    Some(_) => "the last ones count",
                    None => "tokens that need them are refused until they can be",
                };
                let text = format!("the keys of {} cannot be read: {why}; {so}", Shown(&self.url));
                host.log(Level::Warn, text);
            }
            Err(_) => {}
        }
    }

    async fn ask(&self, host: &Host) -> Result<KeySet, String> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = self.url.clone();
        let accept = HeaderValue::from_static("application/jwk-set+json, application/json");
        request.headers_mut().insert(header::ACCEPT, accept);
        let said = |error: portway_plugin::Error| match error.cause() {
            cause if cause.is_empty() => error.to_string(),
            cause => format!("{error} ({cause})"),
        };
        let mut response = host.fetch(request, self.timeout).await.map_err(said)?;
        if response.status() != StatusCode::OK {
            return Err(format!("the server answers {}", response.status()));
        }
        let json = response.buffer(LARGEST).await.map_err(said)?;
        let (keys, useless) = jwk::read(&json, &self.algorithms)?;
        let digest: Box<[u8]> = digest(&SHA256, &json).as_ref().into();
        let last = self.current.load_full();
        let same = last.as_ref().is_some_and(|last| last.digest == digest);
        if !same && !useless.is_empty() {
            let text = format!(
                "of the keys of {} are of no use: {}",
                Shown(&self.url),
                useless.join("; ")
            );
            host.log(Level::Warn, text);
        }
        let generation = last.map_or(0, |last| last.generation + u64::from(!same));
        Ok(KeySet { keys, generation, digest, fetched: host.elapsed() })
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a fetch, however it ends: also when the gateway ends the work in the background.
struct Landing {
    ring: Arc<Ring>,
    host: Host,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flight = self.ring.flight();
        flight.not_before = self.host.elapsed() + self.ring.cooldown;
        let waiting = flight.waiting.take();
        drop(flight);
        for giver in waiting.into_iter().flatten() {
            // Whoever has left waits no more.
            let _ = giver.send(());
        }
    }
}
