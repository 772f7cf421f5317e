//! What became of a request that was sent with a debug token.
//!
//! Other requests pay one look at a flag for it, and those that are watched are few: what is
//! remembered of one is on the heap, and is told away from the core that served it.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use portway_config::{Checked, Config, Route};

use crate::snapshot::Snapshot;

/// The field of a request that carries a token.
pub(crate) const DEBUG: HeaderName = HeaderName::from_static("x-portway-debug");
/// The field of its answer that says what to ask for.
pub(crate) const DEBUG_ID: HeaderName = HeaderName::from_static("x-portway-debug-id");

/// A token was good: what it is good for.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// By what the explanation is asked for. It goes into the answer.
    pub id: HeaderValue,
    /// Only a request that this route takes is explained: its namespace and its name.
    pub route: Option<(String, String)>,
}

/// What became of one request.
pub struct Seen {
    /// By what it is asked for.
    pub id: HeaderValue,
    /// When it came.
    pub time: SystemTime,
    /// Its method.
    pub method: Method,
    /// What it asked for.
    pub uri: Uri,
    /// The host it asked for.
    pub host: Option<HeaderValue>,
    /// Its header fields, as they came, without the token.
    pub headers: HeaderMap,
    /// Who asked.
    pub client: IpAddr,
    /// What the access log calls it.
    pub request_id: HeaderValue,
    /// The listener it came by.
    pub listener: Option<String>,
    /// The plugins it met, the outermost first.
    pub steps: Vec<Step>,
    /// The service it was sent to.
    pub service: Option<String>,
    /// The endpoint that was tried last.
    pub endpoint: Option<String>,
    /// How often it was sent.
    pub tries: u32,
    /// How long the upstream took, to the head of its answer.
    pub upstream_took: Option<Duration>,
    /// How long all of it took, to the last byte.
    pub took: Duration,
    /// The status of the answer.
    pub status: u16,
    /// The code of what went wrong.
    pub error: Option<&'static str>,
    pub(crate) route: Option<usize>,
    pub(crate) snapshot: Arc<Snapshot>,
}

impl Seen {
    /// What was served when it came.
    #[must_use]
    pub fn config(&self) -> &Checked<Config> {
        &self.snapshot.config
    }

    /// The number of what was served.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// The route that took it.
    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        self.snapshot.config.routes.get(self.route?)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What one plugin did.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which plugin.
    pub plugin: &'static str,
    /// What metrics and logs call it.
    pub called: Box<str>,
    /// `passed`, `answered`, `refused`, `failed` or `panicked`.
    pub decision: &'static str,
    /// When it began, after the request.
    pub began: Duration,
    /// How long it took itself.
    pub took: Duration,
}

/// A request while it is watched.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) admitted: Admitted,
    pub(crate) headers: HeaderMap,
    /// In the order in which they end.
    steps: Mutex<Vec<Step>>,
}

impl Watched {
    pub(crate) fn new(admitted: Admitted, headers: HeaderMap) -> Self {
        Self { admitted, headers, steps: Mutex::default() }
    }

    /// A plugin has ended.
    pub(crate) fn step(&self, step: Step) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }

    /// What the plugins did, the outermost first.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone();
        steps.sort_by_key(|step| step.began);
        steps
    }
}
