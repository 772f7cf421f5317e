//! Requests whose way has plugins around it.
//!
//! The chain is polled beside the work it asks for, not around it (see [`errand`]): the exchange stays
//! here, and a plugin may send a request on more than once, one after the other.

mod end;
mod errand;

use std::{
    future::poll_fn,
    mem,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Uri, header, uri::PathAndQuery};
use portway_config::value::normalize_path;
use portway_plugin::{Body, Error, Exchange as Shared, Next, Response, Result, UpstreamVersion};

use super::{
    Answered, Matched, Rest,
    forwarded::{Wishes, bound_upload, forward, within},
    own_answer, strip_hops,
};
use crate::{
    chain::{Chain, Found, RequestFacts, Steps, Walk},
    exchange::{Accepted, AnswerLimits, Exchange},
    forward::{Hops, Identity, ambiguous_path, introduce_in_head},
    grpc::Kind,
    snapshot::{Destination, ListenerPlan, View},
    telemetry::metrics::PluginCells,
};
use end::Behind;
use errand::{Desk, Turn, busy};

/// A request on its way to a chain.
pub(super) struct Way<'a> {
    pub(super) chain: &'a Chain,
    /// What stands behind the chain; an error where no route takes the request.
    pub(super) target: Result<Target<'a>, Error>,
    pub(super) view: &'a View,
    pub(super) listener: &'a ListenerPlan,
    /// The path in its normal form.
    pub(super) path: &'a str,
}

/// A route that takes a request, and which of its destinations.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) matched: &'a Matched<'a>,
    pub(super) destination: usize,
}

/// What a request needs while it is among plugins.
struct Passage<'a> {
    facts: RequestFacts<'a>,
    steps: Steps,
    desk: Desk,
    hops: Hops,
}

/// Runs a request through its chain, for as long as its route allows.
pub(super) async fn through(
    exchange: &mut Exchange,
    request: &mut Request<Body>,
    way: &mut Way<'_>,
) -> Result<Answered> {
    match way.limit() {
        None => passed(exchange, request, way).await,
        // On the heap: few routes have one, and every request would carry it.
        Some(limit) => {
            let deadline = exchange.started + limit;
            within(deadline, Box::pin(passed(exchange, request, way))).await
        }
    }
}

async fn passed(
    exchange: &mut Exchange,
    request: &mut Request<Body>,
    way: &mut Way<'_>,
) -> Result<Answered> {
    // On the heap: every request would carry it.
    let passage = Passage::begin(exchange, request, way)?;
    let Passage { facts, steps, desk, .. } = &*passage;
    let cells = way.cells(exchange);
    let walk = Walk::new(way.chain, facts, cells, way.behind(&passage), steps);
    let shared = Shared::new(facts);
    let told = Told { shared: &shared, exchange };
    let mut chain = Next::new(&walk, &shared, 0).run(mem::take(request));
    let mut rest = None;
    let response = loop {
        match poll_fn(|cx| desk.turn(&mut chain, cx)).await {
            Turn::Ended(result) => break result?,
            Turn::Desk => {}
        }
        told.exchange.tries.only = desk.take(request);
        let turn = {
            let work = way.perform(told.exchange, request, &passage, &mut rest);
            let (mut work, mut begun) = (pin!(work), false);
            poll_fn(|cx| desk.work(work.as_mut(), &mut chain, &mut begun, cx)).await
        };
        facts.reached(told.exchange);
        if let Turn::Ended(result) = turn {
            break result?;
        }
    };
    let rest = match rest {
        // A plugin may have put another answer in its place.
        Some(Rest::Tunnel(_)) if response.extensions().get::<Switched>().is_none() => None,
        rest => rest,
    };
    let rest = rest.unwrap_or_else(|| Rest::Body(AnswerLimits::default()));
    Ok(Answered { response, rest })
}

impl<'a> Passage<'a> {
    /// Makes the request what plugins see.
    fn begin(
        exchange: &mut Exchange,
        request: &mut Request<Body>,
        way: &Way<'a>,
    ) -> Result<Box<Self>> {
        let mut hops = strip_hops(request, &way.view.snapshot);
        introduce_client(exchange, request, &mut hops, way.listener);
        if hops.seen.content_type {
            // Errors of plugins are told in the words of gRPC, too.
            exchange.grpc = Kind::answering(request.headers());
        }
        exchange.accepted =
            Some(if hops.seen.accept { Accepted::by(request) } else { Accepted::any() });
        if let Ok(target) = &way.target
            && let Some(idle) = target.idle()
        {
            bound_upload(exchange, request, target.matched, idle, way.listener)?;
        }
        face_inward(exchange, request, way.path)?;
        let facts = RequestFacts {
            view: way.view,
            shard: Arc::clone(&exchange.shard),
            peer: Arc::clone(&exchange.peer),
            listener: exchange.listener,
            found: way.found(),
            host: exchange.host.clone(),
            path: way.path,
            client: exchange.client,
            scheme: exchange.scheme,
            version: exchange.version,
            request_id: exchange.request_id.clone(),
            started: exchange.started,
            outcome: Mutex::default(),
            watched: exchange.watched.clone(),
        };
        let (steps, desk) = (Steps::of(way.chain), Desk::default());
        // Made in its place: it is large.
        Ok(Box::write(Box::new_uninit(), Self { facts, steps, desk, hops }))
    }
}

impl<'a> Way<'a> {
    fn found(&self) -> Option<Found> {
        let target = self.target.as_ref().ok()?;
        let Matched { number, id, .. } = *target.matched;
        Some(Found { plan: number, destination: target.destination, id })
    }

    /// How long plugins and target may take together.
    fn limit(&self) -> Option<Duration> {
        let target = self.target.as_ref().ok()?;
        match target.to() {
            Some(to) => to.stages.request,
            None => {
                let route = &self.view.snapshot.config.routes[target.matched.number];
                route.timeouts.request.and_then(portway_config::value::Duration::limit)
            }
        }
    }

    fn cells(&self, exchange: &Exchange) -> &'a [Arc<PluginCells>] {
        let way = self.found().map(|found| (found.plan, found.destination));
        self.view.plugin_cells(way, self.listener.class, self.chain, &exchange.shard.cells)
    }

    fn behind<'p>(&self, passage: &'p Passage<'a>) -> Behind<'p> {
        let Passage { facts, desk, .. } = passage;
        let to = self.target.as_ref().ok().and_then(Target::to);
        Behind { desk, facts, endpoints: to.filter(|to| !to.endpoints.is_empty()) }
    }

    /// Does what the route says with a request that has passed the plugins.
    async fn perform(
        &mut self,
        exchange: &mut Exchange,
        request: &mut Request<Body>,
        passage: &Passage<'_>,
        rest: &mut Option<Rest>,
    ) -> Result<Response> {
        let target = match &mut self.target {
            Ok(target) => *target,
            Err(error) => return Err(mem::replace(error, busy())),
        };
        let sent_to = request.uri().path_and_query();
        let Matched { path: seen, original, .. } = target.matched;
        // Plugins were given the normal path. A target they did not touch is forwarded as it came.
        let is_changed = |to: &&PathAndQuery| to.path() != *seen || to.query() != original.query();
        // On the heap, where there is such a thing: every request would carry it.
        let (path, rewritten): (Box<str>, Box<Matched<'_>>);
        let matched = match sent_to.filter(is_changed).cloned() {
            None => target.matched,
            Some(original) => {
                path = normalize_path(original.path(), self.listener.allow_ambiguous_paths)
                    .map_err(ambiguous_path)?
                    .into();
                rewritten = Box::new(Matched { path: &path, original, ..target.matched.clone() });
                &rewritten
            }
        };
        let wishes = wishes(exchange, request);
        let answered = match target.to() {
            Some(to) => {
                forward(exchange, request, &passage.hops, matched, to, self.listener, wishes).await
            }
            // On the heap: files are slower than that, and every request would carry it.
            None => Box::pin(own_answer(exchange, request.headers(), matched, self.listener)).await,
        };
        let Answered { mut response, rest: follows } = answered?;
        if matches!(follows, Rest::Tunnel(_)) {
            response.extensions_mut().insert(Switched);
        }
        *rest = Some(follows);
        Ok(response)
    }
}

impl<'a> Target<'a> {
    /// Where the request is sent, if anywhere.
    fn to(&self) -> Option<&'a Destination> {
        self.matched.plan.destinations().get(self.destination)
    }

    /// How long the request's body may pause, where it is sent anywhere.
    fn idle(&self) -> Option<Option<Duration>> {
        Some(self.to()?.stages.idle)
    }
}

/// Says in the head who asks, before any plugin reads it: what clients claim is gone, and what plugins
/// say in its place stays.
fn introduce_client(
    exchange: &Exchange,
    request: &mut Request<Body>,
    hops: &mut Hops,
    listener: &ListenerPlan,
) {
    let identity = Identity {
        peer: &exchange.peer,
        trusted: listener.trusts(exchange.peer.address.ip()),
        host: exchange.host.as_ref(),
        version: exchange.version,
    };
    introduce_in_head(request.headers_mut(), hops.seen, &identity, listener);
    hops.introduced = true;
}

/// The request as plugins see it: `Host` is there whatever the version of HTTP, the path is in its
/// normal form.
fn face_inward(exchange: &Exchange, request: &mut Request<Body>, path: &str) -> Result<()> {
    let uri = request.uri();
    let is_absolute = uri.authority().is_some();
    if !is_absolute && uri.path() == path {
        return Ok(());
    }
    let target = match uri.query() {
        _ if uri.path() == path => uri.path_and_query().cloned(),
        None => PathAndQuery::try_from(path).ok(),
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")).ok(),
    };
    let target = target.ok_or_else(|| {
        Error::client(
            http::StatusCode::BAD_REQUEST,
            "bad_target",
            "the request target is not a path",
        )
    })?;
    *request.uri_mut() = Uri::from(target);
    // Without an authority, `Host` is what said the host.
    if is_absolute
        && request.headers().get(header::HOST) != exchange.host.as_ref()
        && let Some(host) = &exchange.host
    {
        request.headers_mut().insert(header::HOST, host.clone());
    }
    Ok(())
}

/// Takes what plugins have found out to the exchange, also when the client leaves.
struct Told<'a> {
    shared: &'a Shared<'a>,
    exchange: &'a mut Exchange,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.exchange.notes = self.shared.take_notes();
        self.exchange.consumer = self.shared.consumer().cloned();
    }
}

/// Marks the answer that a tunnel is to follow.
#[derive(Clone, Copy, Debug)]
struct Switched;

/// What plugins have set: a host in place of the client's, a version of HTTP.
fn wishes(exchange: &Exchange, request: &Request<Body>) -> Wishes {
    let host = request.headers().get(header::HOST);
    let host = host.filter(|host| Some(*host) != exchange.host.as_ref());
    let version = request.extensions().get();
    Wishes { host: host.cloned(), version: version.map(|UpstreamVersion(version)| *version) }
}
