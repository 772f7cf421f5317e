//! What is known of a connection or a UDP session; told when it is over.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use portway_config::{ListenerProtocol, StageTimeouts};
use portway_plugin::Error;
use tokio::time::Instant;

use super::{Caller, both_ways::Passed};
use crate::{
    server::Shard,
    snapshot::{Action, Life, ListenerPlan, View},
    telemetry::{
        access::StreamRecord,
        metrics::{NO_ROUTE, Refusal, StreamCells, StreamEnd},
    },
    upstream::{Lane, Tries},
};

/// One connection or session, from its beginning to its end. Dropped, it writes its access record
/// and counts; one that nobody gave an end to was cut.
pub(super) struct Account {
    pub(super) shard: Arc<Shard>,
    protocol: ListenerProtocol,
    started: Instant,
    client: IpAddr,
    listener: Box<str>,
    listener_life: Arc<Life>,
    name: Option<Box<str>>,
    way: Option<Way>,
    pub(super) tries: Tries,
    pub(super) passed: Arc<Passed>,
    outcome: Outcome,
    cause: String,
}

/// Which way a route sent it.
struct Way {
    route: Box<str>,
    life: Arc<Life>,
    cells: Arc<StreamCells>,
    /// The service; `None` where the route has nobody to go to.
    lane: Option<Arc<Lane>>,
    stages: Option<StageTimeouts>,
}

/// How it went.
enum Outcome {
    Ended(StreamEnd),
    Refused(Refusal),
    /// Nobody said a word: load balancers look whether somebody is there, and leave.
    Silent,
}

impl Account {
    pub(super) fn new(
        caller: &Caller,
        protocol: ListenerProtocol,
        listener: &ListenerPlan,
    ) -> Self {
        Self::begun(&caller.shard, caller.client, protocol, listener)
    }

    /// The account of a session with `client`.
    pub(super) fn begun(
        shard: &Arc<Shard>,
        client: SocketAddr,
        protocol: ListenerProtocol,
        listener: &ListenerPlan,
    ) -> Self {
        Self {
            shard: Arc::clone(shard),
            protocol,
            started: Instant::now(),
            client: client.ip(),
            listener: listener.name.clone(),
            listener_life: Arc::clone(&listener.life),
            name: None,
            way: None,
            tries: Tries::default(),
            passed: Arc::default(),
            outcome: Outcome::Ended(StreamEnd::Cut),
            cause: String::new(),
        }
    }

    /// Who connected.
    pub(super) fn client(&self) -> IpAddr {
        self.client
    }

    /// Remembers the name a TLS client asked for.
    pub(super) fn name(&mut self, name: Option<Box<str>>) {
        self.name = name;
    }

    /// The route of this number takes it, and sends it to one of its services.
    pub(super) fn take(&mut self, view: &View, plan: usize) {
        let plan = &view.snapshot.plans[plan];
        let destination = match &plan.action {
            Action::Forward { picker, destinations } => {
                picker.next(&[]).and_then(|index| destinations.get(index))
            }
            // The check refuses such a route.
            Action::Reply(_) | Action::Template(_) | Action::Redirect(_) | Action::Files { .. } => {
                None
            }
        };
        let lane = destination.map(|destination| Arc::clone(&view.lanes[destination.upstream]));
        let service = lane.as_ref().map_or(NO_ROUTE, |lane| lane.upstream.label());
        self.way = Some(Way {
            route: plan.route.clone(),
            life: Arc::clone(&plan.life),
            cells: self.shard.cells.stream(&plan.route, service),
            stages: destination.map(|destination| destination.stages),
            lane,
        });
    }

    /// The service it goes to, with the limits on the way.
    pub(super) fn destination(&self) -> Option<(Arc<Lane>, StageTimeouts)> {
        let way = self.way.as_ref()?;
        Some((Arc::clone(way.lane.as_ref()?), way.stages?))
    }

    /// Resolves when its route or its listener is no longer part of the configuration, and the
    /// time to drain is over.
    pub(super) fn removed(&self) -> impl Future<Output = ()> + Send + use<> {
        let listener = self.listener_life.ended();
        let route = self.way.as_ref().map(|way| way.life.ended());
        async move {
            let route = async {
                match route {
                    Some(route) => route.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = listener => {}
                () = route => {}
            }
        }
    }

    /// It was closed before anything was served.
    pub(super) fn refuse(&mut self, reason: Refusal) {
        self.outcome = Outcome::Refused(reason);
    }

    /// What led to its end, for the log alone.
    pub(super) fn because(&mut self, cause: &impl ToString) {
        self.cause = cause.to_string();
    }

    /// No endpoint could be reached.
    pub(super) fn unreachable(&mut self, error: Option<&Error>) {
        self.outcome = Outcome::Ended(StreamEnd::NoEndpoint);
        if let Some(error) = error {
            self.cause = format!("{}: {}", error.code(), error.cause());
        }
    }

    /// It came to an end.
    pub(super) fn end(&mut self, end: StreamEnd) {
        self.outcome = Outcome::Ended(end);
    }

    /// Nothing was said, and nothing is told.
    pub(super) fn silent(&mut self) {
        self.outcome = Outcome::Silent;
    }

    fn count(&self, now: Instant) {
        let cells = || self.shard.cells.listener(&self.listener);
        let end = match self.outcome {
            Outcome::Ended(end) => end,
            Outcome::Refused(reason) => return cells().refused(reason),
            Outcome::Silent => return,
        };
        if end == StreamEnd::NoEndpoint {
            cells().refused(Refusal::NoEndpoint);
        }
        if let Some(way) = &self.way {
            let passed = &self.passed;
            let (from, to) = (passed.from_client.load(Relaxed), passed.to_client.load(Relaxed));
            way.cells.finished(end, now.saturating_duration_since(self.started), from, to);
        }
    }

    fn record(&self, now: Instant) {
        let error = match self.outcome {
            Outcome::Ended(StreamEnd::Closed) => None,
            Outcome::Ended(end) => Some(end.as_str()),
            Outcome::Refused(reason) => Some(reason.as_str()),
            Outcome::Silent => return,
        };
        let duration = now.saturating_duration_since(self.started);
        let upstream =
            self.way.as_ref().and_then(|way| way.lane.as_ref()).map(|lane| &lane.upstream);
        self.shard.access.write_stream(&StreamRecord {
            time: self.shard.wall.at(now) - duration,
            protocol: self.protocol.as_str(),
            sni: self.name.as_deref(),
            bytes_in: self.passed.from_client.load(Relaxed),
            bytes_out: self.passed.to_client.load(Relaxed),
            duration,
            endpoint: upstream.and_then(|upstream| {
                self.tries.endpoint.map(|endpoint| &*upstream.endpoints[endpoint].label)
            }),
            tries: self.tries.count,
            route: self.way.as_ref().map(|way| &*way.route),
            service: upstream.map(|upstream| upstream.label()),
            listener: Some(&self.listener),
            client: Some(self.client),
            error,
            cause: Some(&*self.cause).filter(|cause| !cause.is_empty()),
        });
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let now = Instant::now();
        self.count(now);
        if self.shard.access.is_enabled() {
            self.record(now);
        }
    }
}
