//! The watched names of one configuration.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::{runtime::Handle, sync::Semaphore};

use super::{
    name::{Answer, Current, Name},
    servers::Servers,
    timing::Timing,
    watcher::{self, Means},
};

/// The look-ups under way at once, so that ten thousand names do not flood the name servers.
const CONCURRENT_LOOKUPS: usize = 64;

/// Turns names into addresses and keeps them current. Its watchers run on the control runtime.
pub(crate) struct Resolver {
    runtime: Handle,
    registry: Arc<Registry>,
    means: Arc<Means>,
    /// What the resolver before this one knew.
    earlier: HashMap<Box<str>, Arc<Answer>>,
}

/// The names being watched. Only locked when a name is added or dropped.
#[derive(Default)]
pub(super) struct Registry {
    names: Mutex<HashMap<Box<str>, Weak<Name>>>,
}

impl Resolver {
    /// A resolver that works as `settings` say, on `runtime`. It does nothing until a name is
    /// watched.
    pub(crate) fn new(settings: &portway_config::Resolver, runtime: Handle) -> Self {
        let servers = settings.servers.iter().map(|server| server.socket_addr()).collect();
        let timing = Timing { min_ttl: settings.min_ttl.get(), max_ttl: settings.max_ttl.get() };
        Self::with_servers(Servers::new(servers), timing, runtime)
    }

    pub(super) fn with_servers(servers: Servers, timing: Timing, runtime: Handle) -> Self {
        let means = Means { servers, timing, permits: Semaphore::new(CONCURRENT_LOOKUPS) };
        Self { runtime, registry: Arc::default(), means: Arc::new(means), earlier: HashMap::new() }
    }

    /// A resolver with other settings whose names begin with what is known here, so that a
    /// change of settings leaves no moment without addresses.
    pub(crate) fn succeeded_by(&self, settings: &portway_config::Resolver) -> Self {
        let mut next = Self::new(settings, self.runtime.clone());
        // The handles are let go after the lock: dropping the last one of a name takes it.
        let names = self.registry.lock().values().filter_map(Weak::upgrade).collect::<Vec<_>>();
        next.earlier = names
            .iter()
            .map(|name| (name.host().into(), Arc::clone(&name.answer())))
            .filter(|(_, answer)| !answer.addresses.is_empty())
            .collect();
        next
    }

    /// Starts watching `host`, or joins those who do already.
    pub(crate) fn watch(&self, host: &str) -> Arc<Name> {
        let host = host.to_ascii_lowercase();
        let mut names = self.registry.lock();
        if let Some(name) = names.get(host.as_str()).and_then(Weak::upgrade) {
            return name;
        }
        let earlier = self.earlier.get(host.as_str()).cloned();
        let current = Arc::new(Current::new(&host, earlier));
        let task = watcher::keep_current(Arc::clone(&current), Arc::clone(&self.means));
        let watcher = self.runtime.spawn(task).abort_handle();
        let name = Arc::new(Name::new(current, watcher, Arc::clone(&self.registry)));
        names.insert(host.into(), Arc::downgrade(&name));
        name
    }
}

#[cfg(test)]
impl Resolver {
    /// How many names are being watched.
    pub(super) fn watched(&self) -> usize {
        self.registry.lock().len()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("names", &self.registry.lock().len())
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Called when a handle was the last one. Somebody else may have begun to watch the name
    /// again in the meantime: then the entry is theirs.
    pub(super) fn forget(&self, host: &str) {
        let mut names = self.lock();
        if names.get(host).is_some_and(|name| name.strong_count() == 0) {
            names.remove(host);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Weak<Name>>> {
        // Each operation on the map is one step: a panic elsewhere leaves it whole.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
