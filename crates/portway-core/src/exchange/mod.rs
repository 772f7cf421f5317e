//! One request and its answer, remembered from the head to the last byte.
//!
//! An [`Exchange`] collects what happened; when it is dropped, also because the client left, one
//! access record is written, the metrics are counted and what it held is let go. This room
//! decides nothing: it watches the two bodies, keeps their limits and tells.

mod answer;
mod observed;
mod refused;
mod render;
mod upload;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderValue, Method, Uri, Version};
use portway_config::Meta;
use portway_plugin::{Consumer, Error, Note, Side};
use tokio::time::Instant;

use crate::{
    balance::Permit,
    driver::ClientLine,
    explain::{Admitted, Seen, Watched},
    forward::Peer,
    grpc::Kind,
    server::Shard,
    snapshot::{ListenerId, Plan, View},
    telemetry::access::Record,
    tls::TlsFacts,
    upstream::Tries,
};

pub(crate) use answer::{AnswerLimits, track};
pub(crate) use refused::refused;
pub(crate) use render::{Accepted, render};
pub(crate) use upload::{UploadLimits, limited, too_large};

/// The status of a request whose client left before there was an answer.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// What is known of a request, from its head to the last byte of its answer.
pub(crate) struct Exchange {
    pub(crate) shard: Arc<Shard>,
    pub(crate) view: Arc<View>,
    pub(crate) line: ClientLine,
    pub(crate) listener: ListenerId,
    pub(crate) started: Instant,
    pub(crate) peer: Arc<Peer>,
    pub(crate) client: IpAddr,
    pub(crate) scheme: &'static str,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) host: Option<HeaderValue>,
    pub(crate) user_agent: Option<HeaderValue>,
    pub(crate) request_id: HeaderValue,
    /// The number of the plan, and of its destination.
    pub(crate) matched: Option<(usize, usize)>,
    pub(crate) tries: Tries,
    pub(crate) upstream_took: Option<Duration>,
    /// `None` until there is a head.
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<Told>,
    /// Only a request with a body has one.
    pub(crate) bytes_in: Option<Arc<AtomicU64>>,
    pub(crate) bytes_out: u64,
    pub(crate) permit: Option<Permit>,
    /// The form of gRPC in which failures are told.
    pub(crate) grpc: Option<Kind>,
    /// What the client accepts, where the head of its request was given away.
    pub(crate) accepted: Option<Accepted>,
    /// Who asks, where a plugin has found out.
    pub(crate) consumer: Option<Arc<Consumer>>,
    /// What plugins add to the record.
    pub(crate) notes: Vec<Note>,
    /// Whether it came with a debug token, and what was seen of it.
    pub(crate) watched: Option<Arc<Watched>>,
}

/// What the log says of an error.
pub(crate) struct Told {
    code: &'static str,
    side: Side,
    cause: String,
}

impl Exchange {
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.matched.map(|(plan, _)| &self.view.snapshot.plans[plan])
    }

    /// The upstream the request went to.
    fn upstream(&self) -> Option<usize> {
        let (_, destination) = self.matched?;
        self.plan()?.destinations().get(destination).map(|destination| destination.upstream)
    }

    /// Remembers an error for the log. The first one counts: what follows is its consequence.
    pub(crate) fn blame(&mut self, error: &Error) {
        if self.error.is_none() {
            self.error =
                Some(Told { code: error.code(), side: error.side(), cause: error.cause() });
        }
    }

    /// The client left before its answer was complete.
    fn client_left(&mut self) {
        if self.error.is_none() {
            let (code, side) = ("client_closed_request", Side::Client);
            self.error = Some(Told { code, side, cause: String::new() });
        }
    }

    fn record(&self, status: u16, now: Instant, duration: Duration, bytes_in: u64) {
        let listener = self.view.snapshot.listener(self.listener);
        let upstream = self.upstream();
        self.shard.access.write(&Record {
            time: self.shard.wall.at(now) - duration,
            method: self.method.as_str(),
            scheme: self.scheme,
            host: self.host.as_ref().map_or(&[], HeaderValue::as_bytes),
            path: self.uri.path().as_bytes(),
            protocol: protocol(self.version),
            status,
            bytes_in,
            bytes_out: self.bytes_out,
            duration,
            upstream_duration: self.upstream_took,
            endpoint: self.endpoint(),
            tries: self.tries.count,
            route: self.plan().map(|plan| &*plan.route),
            service: upstream.map(|upstream| self.view.service(Some(upstream))),
            listener: listener.map(|listener| &*listener.name),
            client: Some(self.client),
            tls: self.peer.tls.as_ref().map(TlsFacts::told),
            consumer: self.consumer.as_ref().map(|consumer| &*consumer.name),
            user_agent: self.user_agent.as_ref().map(HeaderValue::as_bytes),
            request_id: Some(self.request_id.as_bytes()),
            error: self.error.as_ref().map(|error| error.code),
            cause: self.error.as_ref().map(|error| &*error.cause).filter(|cause| !cause.is_empty()),
            notes: &self.notes,
        });
    }

    /// By what the explanation of this request can be asked for, when there will be one.
    pub(crate) fn watched_as(&mut self) -> Option<HeaderValue> {
        let Admitted { id, route } = &self.watched.as_ref()?.admitted;
        if let Some((namespace, name)) = route {
            let meta = self.matched.map(|(plan, _)| &self.view.snapshot.config.routes[plan].meta);
            let is_it =
                |meta: &&Meta| meta.namespace.as_str() == namespace && meta.name.as_str() == name;
            if meta.filter(is_it).is_none() {
                self.watched = None;
                return None;
            }
        }
        if let Some(hosted) = self.shard.hosted() {
            hosted.service.expects(id);
        }
        Some(id.clone())
    }

    /// Tells what was seen of a request with a debug token.
    #[cold]
    fn tell(&self, watched: &Watched, status: u16, now: Instant, took: Duration) {
        let Some(hosted) = self.shard.hosted().cloned() else { return };
        let listener = self.view.snapshot.listener(self.listener);
        let seen = Seen {
            id: watched.admitted.id.clone(),
            time: self.shard.wall.at(now) - took,
            method: self.method.clone(),
            uri: self.uri.clone(),
            host: self.host.clone(),
            headers: watched.headers.clone(),
            client: self.client,
            request_id: self.request_id.clone(),
            listener: listener.map(|listener| listener.name.to_string()),
            steps: watched.steps(),
            service: self.upstream().map(|upstream| self.view.service(Some(upstream)).to_owned()),
            endpoint: self.endpoint().map(str::to_owned),
            tries: self.tries.count,
            upstream_took: self.upstream_took,
            took,
            status,
            error: self.error.as_ref().map(|error| error.code),
            route: self.matched.map(|(plan, _)| plan),
            snapshot: Arc::clone(&self.view.snapshot),
        };
        // Explaining it takes longer than a core should be kept.
        hosted.runtime.spawn_blocking(move || hosted.service.saw(seen));
    }

    fn endpoint(&self) -> Option<&str> {
        let upstream = &self.view.lanes[self.upstream()?].upstream;
        Some(&upstream.endpoints[self.tries.endpoint?].label)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let now = Instant::now();
        let status = self.status.unwrap_or_else(|| {
            self.client_left();
            CLIENT_CLOSED_REQUEST
        });
        self.line.end(now);
        let duration = now.saturating_duration_since(self.started);
        let bytes_in = self.bytes_in.as_ref().map_or(0, |bytes| bytes.load(Relaxed));
        let cells = self.view.cells(self.matched, self.listener, &self.shard.cells);
        cells.finished(
            &self.method,
            status,
            duration,
            self.upstream_took,
            bytes_in,
            self.bytes_out,
        );
        self.tell_finished(status, bytes_in, duration);
        if let Some(error) = &self.error {
            self.shard.cells.error(error.code, error.side);
        }
        self.shard.cells.in_flight_sub();
        if let Some(watched) = self.watched.take() {
            self.tell(&watched, status, now, duration);
        }
        if self.shard.access.is_enabled() {
            self.record(status, now, duration, bytes_in);
        }
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}
