//! What the gateway tells plugins about a request.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use http::{HeaderValue, Version};
use portway_plugin::{Consumers, Facts, Outcome, Tls};

use crate::{
    exchange::Exchange,
    explain::Watched,
    forward::{Peer, without_port},
    route::{Captures, MatchId},
    server::Shard,
    snapshot::{ListenerId, Plan, View},
    upstream::Tries,
};

/// The facts of one request: what is known of it when its way has been found. It holds what it
/// tells of, because the exchange is at work while plugins ask.
pub(crate) struct RequestFacts<'a> {
    pub(crate) view: &'a View,
    pub(crate) shard: Arc<Shard>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) listener: ListenerId,
    pub(crate) found: Option<Found>,
    pub(crate) host: Option<HeaderValue>,
    /// The path in its normal form.
    pub(crate) path: &'a str,
    pub(crate) client: IpAddr,
    pub(crate) scheme: &'static str,
    pub(crate) version: Version,
    pub(crate) request_id: HeaderValue,
    pub(crate) started: tokio::time::Instant,
    pub(crate) outcome: Mutex<Reached>,
    /// Whoever sent it with a debug token wants to know what its plugins do.
    pub(crate) watched: Option<Arc<Watched>>,
}

/// Which route takes a request, and where it is going.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) plan: usize,
    pub(crate) destination: usize,
    pub(crate) id: MatchId,
}

/// How far sending it to an upstream has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reached {
    pub(crate) endpoint: Option<usize>,
    pub(crate) tries: u32,
    pub(crate) took: Option<Duration>,
}

impl RequestFacts<'_> {
    /// Remembers for plugins what came of sending the request.
    pub(crate) fn reached(&self, exchange: &Exchange) {
        let Tries { endpoint, count, .. } = exchange.tries;
        let took = exchange.upstream_took;
        let mut reached = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        *reached = Reached { endpoint, tries: count, took };
    }

    fn plan(&self) -> Option<&Plan> {
        self.found.map(|found| &self.view.snapshot.plans[found.plan])
    }

    fn upstream(&self) -> Option<usize> {
        let destination = self.found?.destination;
        self.plan()?.destinations().get(destination).map(|destination| destination.upstream)
    }

    fn captures(&self) -> Option<Captures<'_>> {
        let found = self.found?;
        Some(self.view.snapshot.router.captures(found.id, self.path, &self.view.regexes))
    }
}

impl Facts for RequestFacts<'_> {
    fn listener(&self) -> &str {
        self.view.snapshot.listener(self.listener).map_or("-", |listener| &listener.name)
    }

    fn route(&self) -> Option<&str> {
        self.plan().map(|plan| &*plan.route)
    }

    fn service(&self) -> Option<&str> {
        self.upstream().map(|upstream| self.view.service(Some(upstream)))
    }

    fn pattern(&self) -> Option<String> {
        let found = self.found?;
        let snapshot = &self.view.snapshot;
        let compiled = snapshot.router.get(found.id);
        let route = snapshot.config.routes.get(compiled.route() as usize)?;
        let one = route.matches.as_slice().get(compiled.index() as usize)?;
        one.path.as_ref().map(ToString::to_string)
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.captures()?.get(name).map(str::to_owned)
    }

    fn host(&self) -> &str {
        let host = self.host.as_ref().and_then(|host| host.to_str().ok());
        host.map(without_port).unwrap_or_default()
    }

    fn path(&self) -> &str {
        self.path
    }

    fn socket(&self) -> SocketAddr {
        self.peer.address
    }

    fn client(&self) -> IpAddr {
        self.client
    }

    fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn tls(&self) -> Option<Tls<'_>> {
        let facts = self.peer.tls.as_ref()?;
        Some(Tls {
            version: facts.version,
            cipher: facts.cipher,
            sni: facts.sni.as_deref(),
            client: facts.client.as_ref().map(|client| client.told()),
        })
    }

    fn protocol(&self) -> Version {
        self.version
    }

    fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    fn arrival(&self) -> SystemTime {
        self.shard.wall.at(self.started)
    }

    fn core(&self) -> usize {
        self.shard.number
    }

    fn consumers(&self) -> &Consumers {
        &self.view.snapshot.consumers
    }

    fn outcome(&self) -> Outcome {
        let Reached { endpoint, tries, took } =
            *self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let label = endpoint.zip(self.upstream()).and_then(|(endpoint, upstream)| {
            let endpoints = &self.view.lanes[upstream].upstream.endpoints;
            Some(endpoints.get(endpoint)?.label.to_string())
        });
        Outcome { endpoint: label, tries, upstream_time: took }
    }
}
