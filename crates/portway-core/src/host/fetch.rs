//! Requests that plugins make, by the gateway's own connections.
//!
//! Each core asks by connections of its own, like requests that it forwards: nothing crosses a
//! thread. Whoever runs elsewhere asks on the control runtime.

use std::{
    collections::HashMap,
    iter,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use http::{HeaderMap, StatusCode, Uri, header, uri::PathAndQuery};
use portway_config::{
    Endpoint, HostPolicy, Service, StageTimeouts,
    value::{EndpointScheme, Name, ServiceUrl, Weight},
};
use portway_plugin::{Error, Request, Response, ResponseExt, Result};
use tokio::{
    runtime::{Handle, Id},
    sync::OnceCell,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};

use super::Guard;
use crate::{
    balance::Connection,
    forward::strip_response,
    resolve::Resolver,
    tls,
    upstream::{Call, Lane, Tries, Upstream},
};

/// The servers whose connections are kept. When there are more, all are forgotten: nobody asks
/// that many by name.
const MAX_SERVERS: usize = 256;
/// How long connections and names of a server that nobody asks are kept.
const KEPT: Duration = Duration::from_secs(300);
/// The idle connections that one runtime keeps to each server.
const MAX_IDLE: u32 = 1024;
/// The bytes of an answer.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// How often idle connections are looked through.
const SWEEP: Duration = Duration::from_secs(1);

/// The gateway's own client.
pub(crate) struct Fetcher {
    control: Handle,
    guard: Arc<Guard>,
    resolver: ArcSwapOption<Resolver>,
    /// The control runtime's, then those of the cores.
    pools: OnceLock<Box<[Pool]>>,
    tls: OnceCell<Option<tls::Client>>,
}

/// The connections of one runtime.
struct Pool {
    runtime: Id,
    /// By scheme and authority.
    servers: Mutex<HashMap<String, Server>>,
}

/// A server that is asked, and when it last was.
struct Server {
    lane: Arc<Lane>,
    used: Instant,
}

impl Fetcher {
    pub(super) fn new(control: Handle) -> Arc<Self> {
        Arc::new(Self {
            control,
            guard: Arc::default(),
            resolver: ArcSwapOption::empty(),
            pools: OnceLock::new(),
            tls: OnceCell::new(),
        })
    }

    /// These are the runtimes of the cores, which ask by connections of their own. Said once.
    pub(crate) fn set_cores(self: &Arc<Self>, cores: impl Iterator<Item = Handle>) {
        let runtimes: Vec<Handle> = iter::once(self.control.clone()).chain(cores).collect();
        let pool = |runtime: &Handle| Pool { runtime: runtime.id(), servers: Mutex::default() };
        if self.pools.set(runtimes.iter().map(pool).collect()).is_ok() {
            for (number, runtime) in runtimes.iter().enumerate() {
                runtime.spawn(sweep(Arc::downgrade(self), number));
            }
        }
    }

    /// From now on names are resolved by this, and these addresses are the gateway's own.
    pub(crate) fn set(&self, resolver: &Arc<Resolver>, own: Vec<std::net::SocketAddr>) {
        self.resolver.store(Some(Arc::clone(resolver)));
        self.guard.set_own(own);
    }

    /// Asks, within `limit`, body included.
    pub(super) async fn fetch(
        self: Arc<Self>,
        request: Request,
        limit: Duration,
    ) -> Result<Response> {
        let here = Handle::try_current().ok().and_then(|here| self.pool_of(here.id()));
        if let Some(pool) = here {
            return self.fetch_by(pool, request, limit).await;
        }
        let elsewhere = Arc::clone(&self);
        answered(self.control.spawn(async move {
            let pool = elsewhere.pool_of(elsewhere.control.id()).ok_or_else(not_started)?;
            elsewhere.fetch_by(pool, request, limit).await
        }))
        .await
    }

    fn pool_of(&self, runtime: Id) -> Option<&Pool> {
        self.pools.get()?.iter().find(|pool| pool.runtime == runtime)
    }

    async fn fetch_by(&self, pool: &Pool, request: Request, limit: Duration) -> Result<Response> {
        let deadline = Instant::now() + limit;
        let asking = async {
            let mut response = self.ask(pool, request, deadline).await?;
            response.buffer(MAX_ANSWER).await?;
            Ok(response)
        };
        timeout_at(deadline, asking).await.unwrap_or_else(|_| {
            let message = "a server the gateway depends on did not answer in time";
            Err(Error::upstream(StatusCode::GATEWAY_TIMEOUT, "fetch_timeout", message))
        })
    }

    async fn ask(&self, pool: &Pool, mut request: Request, deadline: Instant) -> Result<Response> {
        // A copy: a request that is borrowed across an `await` would have to be `Sync`.
        let uri = request.uri().clone();
        let lane = self.server(pool, &uri).await?;
        let endpoint = &lane.upstream.endpoints[0];
        if let Some(name) = endpoint.awaited_name() {
            name.ready(deadline).await;
        }
        endpoint.allowed().map_err(refused)?;
        let target = request.uri().path_and_query().cloned();
        let target = target.unwrap_or_else(|| PathAndQuery::from_static("/"));
        request.headers_mut().remove(header::HOST);
        // One deadline is for all of it.
        let stages =
            StageTimeouts { connect: None, response_header: None, request: None, idle: None };
        let call = Call {
            lane: &lane,
            target,
            host: &HostPolicy::Upstream,
            asked: &Connection(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            client_host: None,
            stages,
            chosen: &|_| {},
            interim: &|_: StatusCode, _: &HeaderMap| {},
            fields: &|_| {},
            keep_spelling: false,
            introduction: None,
            upgrade: false,
            version: None,
            now: Instant::now(),
        };
        let sent = call.send(&mut request, &mut Tries::default()).await?;
        let (mut response, permit) = sent.into_response();
        strip_response(response.headers_mut());
        response.keep(permit);
        Ok(response)
    }

    /// The connections to the server that `uri` names.
    async fn server(&self, pool: &Pool, uri: &Uri) -> Result<Arc<Lane>> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refused(format!("{uri} is not an absolute URI")));
        };
        if !matches!(scheme, "http" | "https") || authority.as_str().contains('@') {
            return Err(refused(format!("{scheme}://{authority} is not a server of HTTP")));
        }
        let origin = format!("{scheme}://{authority}");
        if let Some(lane) = pool.known(&origin) {
            return Ok(lane);
        }
        let url: ServiceUrl = origin.parse().map_err(|bad| refused(format!("{bad}")))?;
        let lane = self.lane(url).await?;
        Ok(pool.keep(origin, lane))
    }

    async fn lane(&self, url: ServiceUrl) -> Result<Arc<Lane>> {
        let resolver = self.resolver.load_full();
        let resolver = resolver.ok_or_else(not_started)?;
        let name: Name = "outbound".parse().expect("`outbound` is a name");
        let scheme = url.scheme();
        let endpoint = Endpoint { url, weight: Weight::default(), plugins: Vec::new() };
        let mut service = Service::new(name, vec![endpoint]);
        service.pool.max_idle = MAX_IDLE;
        let tls = match scheme {
            EndpointScheme::Https => self.tls(&service).await,
            _ => None,
        };
        let upstream = Upstream::guarded(&service, tls, &resolver, &self.guard);
        Ok(Lane::new(upstream, Arc::default()))
    }

    /// What the system trusts is read from its disk once: no core is to wait for that.
    async fn tls(&self, service: &Service) -> Option<tls::Client> {
        let read = || async {
            let service = service.clone();
            let read = self.control.spawn_blocking(move || tls::outbound(&service));
            read.await.ok().flatten()
        };
        self.tls.get_or_init(read).await.clone()
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Server>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, origin: &str) -> Option<Arc<Lane>> {
        let mut servers = self.lock();
        let server = servers.get_mut(origin)?;
        server.used = Instant::now();
        Some(Arc::clone(&server.lane))
    }

    /// Keeps it, unless somebody else was faster: then it is theirs.
    fn keep(&self, origin: String, lane: Arc<Lane>) -> Arc<Lane> {
        let mut servers = self.lock();
        if servers.len() >= MAX_SERVERS {
            servers.clear();
        }
        let server = servers.entry(origin).or_insert(Server { lane, used: Instant::now() });
        Arc::clone(&server.lane)
    }

    fn sweep(&self, now: Instant) {
        let mut servers = self.lock();
        servers.retain(|_, server| now.saturating_duration_since(server.used) < KEPT);
        servers.values().for_each(|server| server.lane.sweep(now));
    }
}

/// Looks through one runtime's connections, on that runtime.
async fn sweep(fetcher: Weak<Fetcher>, pool: usize) {
    let mut turns = interval(SWEEP);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let Some(fetcher) = fetcher.upgrade() else { return };
        let Some(pools) = fetcher.pools.get() else { return };
        pools[pool].sweep(Instant::now());
    }
}

fn refused(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::gateway("fetch_refused", "the gateway does not ask this server").because(reason)
}

fn not_started() -> Error {
    Error::gateway("fetch_refused", "the gateway has not started")
}

/// What came of a request that another runtime makes. It is given up when nobody waits for it.
async fn answered(asked: JoinHandle<Result<Response>>) -> Result<Response> {
    struct Given<T>(JoinHandle<T>);
    impl<T> Drop for Given<T> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let mut asked = Given(asked);
    (&mut asked.0).await.unwrap_or_else(|error| {
        Err(Error::gateway("fetch_failed", "the gateway could not ask a server").because(error))
    })
}
