//! The numbers of one gateway: its cores, and what concerns it as a whole.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use hashbrown::HashSet;
use portway_plugin::Counter;

use super::{
    core::CoreCells,
    form::Form,
    route::{ADMIN, NO_ROUTE},
    scrape,
};
use crate::telemetry::BuildInfo;

/// A certificate: its listener, its name, its last second since 1970.
type Expiry = (Box<str>, Box<str>, i64);

/// What plugins count themselves, by instance and name.
type PluginCounters = BTreeMap<(Box<str>, Box<str>), Counter>;

/// The numbers of one gateway. A process may hold several.
#[derive(Debug)]
pub struct Metrics {
    build: BuildInfo,
    cores: Mutex<Vec<Arc<CoreCells>>>,
    pub(super) restgate: AtomicBool,
    pub(super) revision: AtomicU64,
    pub(super) certificates: Mutex<Vec<Expiry>>,
    pub(super) last_reload_applied: AtomicBool,
    /// In milliseconds since 1970.
    pub(super) applied_at: AtomicU64,
    pub(super) applied: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) access_log_dropped: Arc<AtomicU64>,
    pub(super) log_dropped: OnceLock<Arc<AtomicU64>>,
    pub(super) plugin_counters: Mutex<PluginCounters>,
}

/// The names a configuration has. The cells of every other name are kept for ten minutes more.
#[derive(Clone, Debug, Default)]
pub struct Named<'a> {
    /// Routes with their service, as [`CoreCells::route`] and [`CoreCells::stream`] are asked for
    /// them.
    pub routes: HashSet<[&'a str; 2]>,
    /// Plugins on routes, as [`CoreCells::plugin`] is asked for them.
    pub plugins: HashSet<[&'a str; 2]>,
    /// Services.
    pub services: HashSet<&'a str>,
    /// Listeners.
    pub listeners: HashSet<&'a str>,
    /// Certificates: listener, name, last second since 1970.
    pub certificates: Vec<(&'a str, &'a str, i64)>,
}

impl Metrics {
    /// The numbers of a gateway of this build, all zero.
    #[must_use]
    pub fn new(build: BuildInfo) -> Self {
        Self {
            build,
            cores: Mutex::default(),
            restgate: AtomicBool::new(false),
            revision: AtomicU64::new(0),
            certificates: Mutex::default(),
            last_reload_applied: AtomicBool::new(false),
            applied_at: AtomicU64::new(0),
            applied: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            access_log_dropped: Arc::default(),
            log_dropped: OnceLock::new(),
            plugin_counters: Mutex::default(),
        }
    }

    /// Which build this is.
    #[must_use]
    pub fn build(&self) -> BuildInfo {
        self.build
    }

    /// Cells for one more core. They count for as long as the gateway lives: a core that ends
    /// leaves what it counted.
    pub fn core(&self) -> Arc<CoreCells> {
        let cells = Arc::<CoreCells>::default();
        self.cores.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&cells));
        cells
    }

    /// A configuration went live: its number, and the names it has.
    pub fn applied(&self, revision: u64, named: &Named<'_>) {
        self.revision.store(revision, Relaxed);
        let certificates = named.certificates.iter();
        *self.certificates.lock().unwrap_or_else(PoisonError::into_inner) = certificates
            .map(|(listener, name, not_after)| ((*listener).into(), (*name).into(), *not_after))
            .collect();
        self.last_reload_applied.store(true, Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.applied_at.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Relaxed);
        self.applied.fetch_add(1, Relaxed);
        let now = Instant::now();
        for core in self.cores() {
            core.routes.mark(now, |names| {
                matches!(names[0], NO_ROUTE | ADMIN) || named.routes.contains(&names)
            });
            core.streams.mark(now, |names| named.routes.contains(&names));
            core.plugins.mark(now, |names| named.plugins.contains(&names));
            core.services.mark(now, |[service]| named.services.contains(service));
            core.listeners.mark(now, |[listener]| named.listeners.contains(listener));
        }
        self.sweep(now);
    }

    /// A configuration was loaded and found wrong; the old one stays.
    pub fn rejected(&self) {
        self.last_reload_applied.store(false, Relaxed);
        self.rejected.fetch_add(1, Relaxed);
    }

    /// Whether the two metrics of `RESTGate` are exported as well.
    pub fn set_restgate(&self, exported: bool) {
        self.restgate.store(exported, Relaxed);
    }

    /// The counter of dropped access records, for [`AccessLog`](crate::telemetry::access::AccessLog).
    #[must_use]
    pub fn access_log_dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.access_log_dropped)
    }

    /// Exports the lines the process log dropped
    /// ([`LogControl::dropped`](crate::telemetry::log::LogControl::dropped)). The first call counts.
    pub fn set_log_dropped(&self, counter: Arc<AtomicU64>) {
        // A second log would be a second process: the first one stands.
        let _ = self.log_dropped.set(counter);
    }

    /// Everything, added up and written down. It takes time in proportion to the routes that were
    /// asked for, so it belongs on a thread that serves no requests.
    #[must_use]
    pub fn scrape(&self, form: Form) -> String {
        self.sweep(Instant::now());
        scrape::write(self, &self.cores(), form)
    }

    /// The counter that a plugin's instance calls `name`.
    pub(crate) fn plugin_counter(&self, instance: &str, name: &str) -> Counter {
        let mut counters = self.plugin_counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.entry((instance.into(), name.into())).or_default().clone()
    }

    fn sweep(&self, now: Instant) {
        for core in self.cores() {
            core.routes.sweep(now);
            core.streams.sweep(now);
            core.plugins.sweep(now);
            core.services.sweep(now);
            core.listeners.sweep(now);
        }
    }

    pub(super) fn cores(&self) -> Vec<Arc<CoreCells>> {
        self.cores.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The numbers of a gateway whose build is not known.
impl Default for Metrics {
    fn default() -> Self {
        Self::new(BuildInfo::default())
    }
}
