//! Hosts the data plane: one thread per core, started, changed and drained together.
//!
//! [`Server`] lives on the control runtime. It never touches a request: it opens sockets, gives
//! each core its view of the newest snapshot, and ends them. How a configuration becomes a
//! snapshot is told in `change`.

mod core;
mod run;
mod shard;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use portway_config::{
    Checked, Config, Listener, ListenerProtocol, Problem,
    value::{BindAddr, ListenAddr},
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    change,
    connect::Connectors,
    driver::FAREWELL,
    gateway::{AdminService, Gateway, Hosted},
    host::Outside,
    listen::{Crowd, Terms},
    observe::{Hosts, Observer, Renderer},
    probe::Readiness,
    protocol::Protocols,
    resolve::Resolver,
    snapshot::{ListenerId, Snapshot, View},
    telemetry::{BuildInfo, access::AccessLog, log::LogControl, metrics::Metrics},
};

pub(crate) use self::core::{Core, Opening};
pub use run::{Stop, run};
pub(crate) use shard::Shard;

/// What a server is told besides its configuration.
#[derive(Default)]
pub struct Options {
    /// The data-plane threads. Without it, one for each CPU the process may use (affinity and
    /// cgroup quota).
    pub cores: Option<usize>,
    /// What `/version` and `portway_build_info` say.
    pub build: BuildInfo,
    /// The process log, so that a reload can change its level. `None` for a library user who has
    /// a log of their own.
    pub log: Option<LogControl>,
    /// What answers the requests of the admin API.
    pub admin: Option<Arc<dyn AdminService>>,
    /// Hears of every request.
    pub observer: Option<Arc<dyn Observer>>,
    /// Makes the answers for errors, in place of the gateway's own. It has no say in those of the
    /// admin API.
    pub renderer: Option<Renderer>,
    /// Who makes connections to endpoints, in place of the gateway.
    pub connectors: Connectors,
    /// What else may be spoken at listeners.
    pub protocols: Protocols,
    /// Opens no listener: requests come by [`Server::gateway`] alone.
    pub embedded: bool,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("cores", &self.cores).finish_non_exhaustive()
    }
}

/// What the program has brought along for connections.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    pub(crate) connectors: Connectors,
    pub(crate) protocols: Protocols,
}

/// A running gateway.
pub struct Server {
    pub(crate) cores: Vec<Core>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) resolver: Arc<Resolver>,
    /// What the gateway does for plugins.
    pub(crate) outside: Arc<Outside>,
    pub(crate) brought: Brought,
    pub(crate) listeners: Vec<Open>,
    /// The connections of listeners that were closed.
    pub(crate) leaving: Vec<Arc<Crowd>>,
    pub(crate) next_listener: u32,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) access: AccessLog,
    pub(crate) log: Option<LogControl>,
    pub(crate) probe: Option<RunningProbe>,
    pub(crate) runtime: Handle,
    /// Whether listeners have no sockets.
    pub(crate) embedded: bool,
}

/// A listener whose sockets are open.
pub(crate) struct Open {
    pub(crate) id: ListenerId,
    pub(crate) bind: ListenAddr,
    /// Whether datagrams come to it.
    pub(crate) udp: bool,
    /// What it was called when it was opened.
    pub(crate) name: String,
    /// What was asked of the kernel for it.
    pub(crate) terms: Terms,
    /// `None` for a Unix domain socket.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) crowd: Arc<Crowd>,
}

/// The probe listener while it serves.
pub(crate) struct RunningProbe {
    pub(crate) bind: BindAddr,
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) task: JoinHandle<()>,
}

impl Server {
    /// Starts serving `config`. Must be called on the control runtime.
    ///
    /// # Errors
    /// What could not be opened. Then nothing is.
    pub async fn start(config: Checked<Config>, options: Options) -> Result<Self, Vec<Problem>> {
        let runtime = Handle::current();
        let metrics = Arc::new(Metrics::new(options.build));
        if let Some(log) = &options.log {
            metrics.set_log_dropped(log.dropped());
        }
        let access = AccessLog::new(metrics.access_log_dropped());
        let resolver = Arc::new(Resolver::new(&config.resolver, runtime.clone()));
        let count = options.cores.unwrap_or_else(usable_cpus).max(1);
        let outside = Outside::new(runtime.clone(), Arc::clone(&metrics), count);
        let empty = change::nothing(&resolver, &outside);
        let hosted = options.admin.map(|service| Hosted { service, runtime: runtime.clone() });
        let hosts = Hosts { observer: options.observer, renderer: options.renderer };
        let cores = (0..count)
            .map(|number| {
                let cells = metrics.core();
                let view = View::new(Arc::clone(&empty), None, &cells);
                let shard =
                    Shard::new(number, view, cells, access.handle(), hosted.clone(), hosts.clone());
                Core::start(number, shard)
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| vec![Problem::new("no_thread", format!("no thread: {error}"))])?;
        outside.fetcher().set_cores(cores.iter().map(Core::runtime));
        let mut server = Self {
            cores,
            snapshot: empty,
            resolver,
            outside,
            brought: Brought { connectors: options.connectors, protocols: options.protocols },
            listeners: Vec::new(),
            leaving: Vec::new(),
            next_listener: 0,
            readiness: Arc::new(Readiness::new()),
            metrics,
            access,
            log: options.log,
            probe: None,
            embedded: options.embedded,
            runtime,
        };
        server.apply(config).await?;
        Ok(server)
    }

    /// Goes over to `config`: what is new is opened first, then every core takes the new snapshot
    /// with its next request, then what was removed drains. When this returns, every new request
    /// sees the new configuration.
    ///
    /// # Errors
    /// What could not be opened. Then nothing has changed.
    pub async fn apply(&mut self, config: Checked<Config>) -> Result<(), Vec<Problem>> {
        change::activate(self, config, async || Ok(())).await
    }

    /// The same, where `commit` is to succeed as well, at the last moment before the change is seen.
    ///
    /// # Errors
    /// What could not be opened, or why it was not committed. Then nothing has changed.
    pub(crate) async fn apply_and<F>(
        &mut self,
        config: Checked<Config>,
        commit: F,
    ) -> Result<(), Vec<Problem>>
    where
        F: AsyncFnOnce() -> Result<(), Vec<Problem>>,
    {
        change::activate(self, config, commit).await
    }

    /// Takes note of a configuration that was found wrong: what was served before is served on.
    pub fn rejected(&self, problems: &[Problem]) {
        self.metrics.rejected();
        self.readiness.rejected(problems);
    }

    /// The number of the revision that is served, from 1.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// The addresses that are listened on, by the names of their listeners. Unix domain sockets
    /// are not among them.
    #[must_use]
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        let named = self.snapshot.listeners.iter().filter_map(|listener| {
            let open = self.listeners.iter().find(|open| open.id == listener.id)?;
            Some((listener.name.to_string(), open.address?))
        });
        let mut all: Vec<_> = named.collect();
        all.sort();
        all
    }

    /// The address of the probe listener.
    #[must_use]
    pub fn probe_address(&self) -> Option<SocketAddr> {
        self.probe.as_ref().map(|probe| probe.address)
    }

    /// The data plane as a tower service, which serves as the configuration's first listener
    /// does, whichever that is when a request comes. It shares the first core's connections and may
    /// run on any tokio runtime.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        Gateway::new(Arc::clone(&self.cores[0].shard))
    }

    /// Ends it without cutting a request: readiness fails, the delay of the configuration passes,
    /// then no connection is accepted any more, and what is in flight has the configured time to
    /// finish. Says whether all of it did.
    pub async fn drain(mut self) -> bool {
        tracing::info!("draining");
        self.readiness.draining();
        for core in &self.cores {
            core.shard.drain();
        }
        let shutdown = self.snapshot.config.shutdown.clone();
        sleep(shutdown.delay.get()).await;
        for open in std::mem::take(&mut self.listeners) {
            self.close(open).await;
        }
        let limit = shutdown.timeout.limit();
        let deadline = limit.map_or_else(far_away, |limit| Instant::now() + limit);
        // Tunnels end by themselves or not at all: before the end they are told.
        let farewell = limit.map_or(Duration::ZERO, |limit| FAREWELL.min(limit / 2));
        let emptied = self.emptied(deadline - farewell).await || {
            self.cores.iter().for_each(|core| core.shard.tunnels.end());
            self.emptied(deadline).await
        };
        // The log ends with the server.
        tracing::info!(finished = emptied, "drained");
        self.end().await;
        emptied
    }

    /// Waits until no connection is left, and says whether that came to be.
    async fn emptied(&self, deadline: Instant) -> bool {
        let empty = async {
            for crowd in &self.leaving {
                crowd.empty().await;
            }
        };
        timeout_at(deadline, empty).await.is_ok()
    }

    /// The open socket of a listener: the one at its address, whatever it was called. Where the
    /// system chooses the port, it is called the same.
    pub(crate) fn open_socket(&self, listener: &Listener) -> Option<&Open> {
        let udp = listener.protocol == ListenerProtocol::Udp;
        let chosen = listener.bind.inet().is_some_and(|bind| bind.port() == 0);
        self.listeners.iter().find(|open| {
            open.bind == listener.bind
                && open.udp == udp
                && (!chosen || open.name == listener.meta.label())
        })
    }

    /// Whether a socket of this gateway's own is in the way of another one at `bind`.
    pub(crate) fn is_in_the_way(&self, bind: &ListenAddr, udp: bool) -> bool {
        let listeners = self.listeners.iter().map(|open| (open.bind.clone(), open.udp));
        let probe = self.probe.iter().map(|probe| (probe.bind.into(), false));
        listeners.chain(probe).any(|(open, kind)| kind == udp && open.overlaps(bind))
    }

    /// Accepts what a listener's queue still holds, closes its sockets and asks its connections
    /// to leave.
    pub(crate) async fn close(&mut self, open: Open) {
        for core in &self.cores {
            core.close(open.id).await;
        }
        if let Some(path) = open.bind.unix() {
            // Nobody is left who would answer there. That it is gone already is as well.
            let _ = std::fs::remove_file(path);
        }
        tracing::info!(listener = open.name, address = %open.at(), "closed");
        self.leaving.retain(|crowd| crowd.open() > 0);
        self.leaving.push(open.crowd);
    }

    /// Ends it at once.
    pub(crate) async fn end(mut self) {
        let cores = std::mem::take(&mut self.cores);
        // The threads are joined where blocking is allowed.
        let joined = tokio::task::spawn_blocking(move || cores.into_iter().for_each(Core::stop));
        if joined.await.is_err() {
            tracing::error!("a core could not be stopped");
        }
        if let Some(probe) = self.probe.take() {
            probe.end().await;
        }
    }
}

impl Open {
    /// Where it listens, for logs.
    pub(crate) fn at(&self) -> String {
        self.address.map_or_else(|| self.bind.to_string(), |address| address.to_string())
    }
}

impl RunningProbe {
    pub(crate) async fn end(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

fn usable_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(60 * 60 * 24 * 365)
}
