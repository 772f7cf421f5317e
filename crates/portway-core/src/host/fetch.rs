//! Requests that plugins make, by the gateway's own connections.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use http::{HeaderMap, StatusCode, header, uri::PathAndQuery};
use portway_config::{
    Endpoint, HostPolicy, Service, StageTimeouts,
    value::{Name, ServiceUrl, Weight},
};
use portway_plugin::{Error, Request, Response, ResponseExt, Result};
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};

use super::Guard;
use crate::{
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
/// The bytes of an answer.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// How often idle connections are looked through.
const SWEEP: Duration = Duration::from_secs(1);

/// The gateway's own client.
pub(crate) struct Fetcher {
    runtime: Handle,
    guard: Arc<Guard>,
    resolver: ArcSwapOption<Resolver>,
    /// By scheme and authority.
    servers: Mutex<HashMap<String, Server>>,
    tls: OnceLock<tls::Client>,
}

/// A server that is asked, and when it last was.
struct Server {
    lane: Arc<Lane>,
    used: Instant,
}

impl Fetcher {
    pub(super) fn new(runtime: Handle) -> Arc<Self> {
        let fetcher = Arc::new(Self {
            runtime,
            guard: Arc::default(),
            resolver: ArcSwapOption::empty(),
            servers: Mutex::default(),
            tls: OnceLock::new(),
        });
        fetcher.runtime.spawn(sweep(Arc::downgrade(&fetcher)));
        fetcher
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
        let deadline = Instant::now() + limit;
        let asking = async {
            let mut response = self.ask(request, limit, deadline).await?;
            response.buffer(MAX_ANSWER).await?;
            Ok(response)
        };
        timeout_at(deadline, asking).await.unwrap_or_else(|_| {
            let message = "a server the gateway depends on did not answer in time";
            Err(Error::upstream(StatusCode::GATEWAY_TIMEOUT, "fetch_timeout", message))
        })
    }

    async fn ask(
        &self,
        mut request: Request,
        limit: Duration,
        deadline: Instant,
    ) -> Result<Response> {
        let lane = self.server(&request)?;
        let endpoint = &lane.upstream.endpoints[0];
        if let Some(name) = endpoint.awaited_name() {
            name.ready(deadline).await;
        }
        endpoint.allowed().map_err(|reason| {
            Error::gateway("fetch_refused", "the gateway does not ask this server").because(reason)
        })?;
        let target = request.uri().path_and_query().cloned();
        let target = target.unwrap_or_else(|| PathAndQuery::from_static("/"));
        request.headers_mut().remove(header::HOST);
        let stages = StageTimeouts {
            connect: Some(limit),
            response_header: Some(limit),
            request: None,
            idle: Some(limit),
        };
        let call = Call {
            lane: &lane,
            target,
            host: &HostPolicy::Upstream,
            client_host: None,
            stages,
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

    /// The connections to the server a request is for.
    fn server(&self, request: &Request) -> Result<Arc<Lane>> {
        let refused = |reason: String| {
            Error::gateway("fetch_refused", "the gateway does not ask this server").because(reason)
        };
        let uri = request.uri();
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refused(format!("{uri} is not an absolute URI")));
        };
        if !matches!(scheme, "http" | "https") || authority.as_str().contains('@') {
            return Err(refused(format!("{scheme}://{authority} is not a server of HTTP")));
        }
        let origin = format!("{scheme}://{authority}");
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get_mut(&origin) {
            server.used = Instant::now();
            return Ok(Arc::clone(&server.lane));
        }
        let url: ServiceUrl = origin.parse().map_err(|bad| refused(format!("{bad}")))?;
        let lane = self.lane(url)?;
        if servers.len() >= MAX_SERVERS {
            servers.clear();
        }
        servers.insert(origin, Server { lane: Arc::clone(&lane), used: Instant::now() });
        Ok(lane)
    }

    fn lane(&self, url: ServiceUrl) -> Result<Arc<Lane>> {
        let resolver = self.resolver.load_full();
        let resolver = resolver
            .ok_or_else(|| Error::gateway("fetch_refused", "the gateway has not started"))?;
        let name: Name = "outbound".parse().expect("`outbound` is a name");
        let endpoint = Endpoint { url, weight: Weight::default(), plugins: Vec::new() };
        let service = Service::new(name, vec![endpoint]);
        let tls = self.tls.get_or_init(|| tls::outbound(&service));
        let guard = Some(&self.guard);
        let upstream = Upstream::guarded(&service, Some(tls.clone()), &resolver, guard);
        Ok(Lane::new(upstream, Arc::default()))
    }

    fn sweep(&self, now: Instant) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.retain(|_, server| now.saturating_duration_since(server.used) < KEPT);
        servers.values().for_each(|server| server.lane.sweep(now));
    }
}

async fn sweep(fetcher: Weak<Fetcher>) {
    let mut turns = interval(SWEEP);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let Some(fetcher) = fetcher.upgrade() else { return };
        fetcher.sweep(Instant::now());
    }
}

/// What came of a request that another runtime makes. It is given up when nobody waits for it.
pub(super) async fn answered(asked: JoinHandle<Result<Response>>) -> Result<Response> {
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
