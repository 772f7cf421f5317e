//! Requests whose way has plugins around it.
//!
//! The exchange is lent to whatever stands at the end of the chain and comes back with its answer,
//! so that a plugin may send a request on more than once, one after the other.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{Request, Uri, header, uri::PathAndQuery};
use portway_config::value::normalize_path;
use portway_plugin::{
    Body, Error, Exchange as Shared, Next, RequestExt, Response, Result, UpstreamVersion,
};

use super::{Answered, Matched, Rest, Wishes, forward, own_answer};
use crate::{
    balance::{Permit, Pick},
    chain::{Chain, End, Found, RequestFacts, Walk},
    exchange::{Accepted, AnswerLimits, Exchange},
    forward::{Hops, Identity, ambiguous_path, introduce_in_head},
    grpc::Kind,
    snapshot::{Destination, ListenerPlan},
    upstream::MAX_ENDPOINTS,
};

/// A request on its way to a chain.
pub(super) struct Way<'a> {
    pub(super) chain: &'a Chain,
    /// What stands behind the chain; an error where no route takes the request.
    pub(super) target: Result<Target<'a>, Error>,
    pub(super) listener: &'a ListenerPlan,
    /// The path in its normal form.
    pub(super) path: &'a str,
}

/// A route that takes a request, and which of its destinations.
pub(super) struct Target<'a> {
    pub(super) matched: Matched<'a>,
    pub(super) destination: usize,
}

/// Runs a request through its chain.
pub(super) async fn through(
    exchange: &mut Exchange,
    request: &mut Request<Body>,
    way: Way<'_>,
) -> Result<Answered> {
    let Way { chain, target, listener, path } = way;
    let mut hops = super::strip_hops(request, &exchange.view.snapshot);
    introduce_client(exchange, request, &mut hops, listener);
    if hops.seen.content_type {
        // Errors of plugins are told in the words of gRPC, too.
        exchange.grpc = Kind::answering(request.headers());
    }
    exchange.accepted = Some(Accepted::by(request));
    if let Ok(target) = &target
        && let Some(idle) = target.idle()
    {
        super::bound_upload(exchange, request, &target.matched, idle, listener)?;
    }
    let found = target.as_ref().ok().map(|target| Found {
        plan: target.matched.number,
        destination: target.destination,
        id: target.matched.id,
    });
    let facts = facts(exchange, found, path);
    let view = Arc::clone(&exchange.view);
    let shard = Arc::clone(&exchange.shard);
    let way = found.map(|found| (found.plan, found.destination));
    let cells = view.plugin_cells(way, listener.class, chain, &shard.cells);
    let inward = inward(exchange, request, path)?;
    let sent_as = inward.uri().path_and_query().cloned();
    let lent = Lent { exchange: Mutex::new(Some(exchange)), facts: &facts };
    let end = Behind {
        target: Mutex::new(target),
        lent,
        listener,
        hops,
        sent_as,
        rest: Mutex::default(),
    };
    let walk = Walk::new(chain, &facts, cells, end);
    let shared = Shared::new(&facts);
    let result = {
        let told = Told { shared: &shared, lent: &walk.end().lent };
        let result = Next::new(&walk, &shared, 0).run(inward).await;
        drop(told);
        result
    };
    let response = result?;
    let rest = walk.end().rest.lock().unwrap_or_else(PoisonError::into_inner).take();
    let rest = match rest {
        // A plugin may have put another answer in its place.
        Some(Rest::Tunnel(_)) if response.extensions().get::<Switched>().is_none() => None,
        rest => rest,
    };
    let rest = rest.unwrap_or_else(|| Rest::Body(AnswerLimits::default()));
    Ok(Answered { response, rest })
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

fn facts(exchange: &Exchange, found: Option<Found>, path: &str) -> RequestFacts {
    RequestFacts {
        view: Arc::clone(&exchange.view),
        shard: Arc::clone(&exchange.shard),
        peer: Arc::clone(&exchange.peer),
        listener: exchange.listener,
        found,
        host: exchange.host.clone(),
        path: path.into(),
        client: exchange.client,
        scheme: exchange.scheme,
        version: exchange.version,
        request_id: exchange.request_id.clone(),
        started: exchange.started,
        outcome: Mutex::default(),
    }
}

/// The request as plugins see it: `Host` is there whatever the version of HTTP, the path is in its
/// normal form.
fn inward(exchange: &Exchange, request: &mut Request<Body>, path: &str) -> Result<Request<Body>> {
    let query = request.uri().query();
    let target = match query {
        _ if request.uri().path() == path => request.uri().path_and_query().cloned(),
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
    let mut inward = mem::take(request);
    if inward.uri().path_and_query() != Some(&target) || inward.uri().authority().is_some() {
        *inward.uri_mut() = Uri::from(target);
    }
    if inward.headers().get(header::HOST) != exchange.host.as_ref()
        && let Some(host) = &exchange.host
    {
        inward.headers_mut().insert(header::HOST, host.clone());
    }
    Ok(inward)
}

/// Who has the exchange: the end of the chain while it works.
struct Lent<'a> {
    exchange: Mutex<Option<&'a mut Exchange>>,
    facts: &'a RequestFacts,
}

/// The exchange, on loan. It goes back however the work ends.
struct Loan<'l, 'a> {
    from: &'l Lent<'a>,
    exchange: Option<&'a mut Exchange>,
}

impl<'a> Lent<'a> {
    fn take(&self) -> Option<Loan<'_, 'a>> {
        let exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Loan { from: self, exchange: Some(exchange) })
    }
}

impl Drop for Loan<'_, '_> {
    fn drop(&mut self) {
        let Some(exchange) = self.exchange.take() else { return };
        let tries = &exchange.tries;
        let mut reached = self.from.facts.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        reached.endpoint = tries.endpoint;
        reached.tries = tries.count;
        reached.took = exchange.upstream_took;
        drop(reached);
        *self.from.exchange.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange);
    }
}

/// Takes what plugins have found out to the exchange, also when the client leaves.
struct Told<'l, 'a> {
    shared: &'l Shared<'l>,
    lent: &'l Lent<'a>,
}

impl Drop for Told<'_, '_> {
    fn drop(&mut self) {
        let mut exchange = self.lent.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(exchange) = exchange.as_deref_mut() else { return };
        exchange.notes = self.shared.notes().take();
        exchange.consumer = self.shared.consumer().cloned();
    }
}

/// Marks the answer that a tunnel is to follow.
#[derive(Clone, Copy, Debug)]
struct Switched;

/// What stands behind the chain.
struct Behind<'a> {
    target: Mutex<Result<Target<'a>, Error>>,
    lent: Lent<'a>,
    listener: &'a ListenerPlan,
    hops: Hops,
    /// The target plugins were given: one they did not touch is forwarded as it came.
    sent_as: Option<PathAndQuery>,
    /// What follows the newest answer.
    rest: Mutex<Option<Rest>>,
}

impl End for Behind<'_> {
    async fn serve(&self, request: Request<Body>, shared: &Shared<'_>) -> Result<Response> {
        let (matched, destination) = {
            let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *target {
                Ok(target) => (target.matched.clone(), target.destination),
                Err(error) => return Err(mem::replace(error, again())),
            }
        };
        match matched.plan.destinations().get(destination) {
            Some(to) if !to.endpoints.is_empty() => {
                Box::pin(self.at_endpoints(request, shared, &matched, (to, destination))).await
            }
            _ => self.perform(request, matched, destination, None).await,
        }
    }
}

impl<'a> Behind<'a> {
    /// Does what the route says; at an endpoint that was chosen, or at any.
    async fn perform(
        &self,
        mut request: Request<Body>,
        matched: Matched<'_>,
        destination: usize,
        only: Option<(usize, Option<Permit>)>,
    ) -> Result<Response> {
        let mut loan = self.lent.take().ok_or_else(again)?;
        let Some(exchange) = loan.exchange.as_deref_mut() else { return Err(again()) };
        let changed = request.uri().path_and_query().cloned();
        let changed = changed.filter(|target| Some(target) != self.sent_as.as_ref());
        let (original, path);
        let matched = match changed {
            None => matched,
            Some(target) => {
                original = target;
                path = normalize_path(original.path(), self.listener.allow_ambiguous_paths)
                    .map_err(ambiguous_path)?;
                Matched { path: &path, original: original.clone(), ..matched }
            }
        };
        let wishes = wishes(exchange, &request);
        exchange.tries.only = only;
        let hops = self.hops.clone();
        // On the heap, each of them: what waits here is moved with the chain.
        let answered = match matched.plan.destinations().get(destination) {
            Some(to) => {
                Box::pin(forward(exchange, &mut request, hops, &matched, to, self.listener, wishes))
                    .await
            }
            None => {
                Box::pin(own_answer(exchange, request.headers(), &matched, self.listener)).await
            }
        };
        let Answered { mut response, rest } = answered?;
        if matches!(rest, Rest::Tunnel(_)) {
            response.extensions_mut().insert(Switched);
        }
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        Ok(response)
    }

    /// Chooses an endpoint and passes the plugins that stand before it; the next one where nobody
    /// can have seen the request and it can be sent again.
    async fn at_endpoints(
        &self,
        request: Request<Body>,
        shared: &Shared<'_>,
        matched: &Matched<'a>,
        (to, destination): (&Destination, usize),
    ) -> Result<Response> {
        let facts = self.lent.facts;
        let upstream = &facts.view.lanes[to.upstream].upstream;
        let (mut tried, mut request) = (Vec::new(), Some(request));
        let mut last = None;
        while let Some(inward) = request.take() {
            let Some(pick) = upstream.pick(&tried) else {
                return Err(last.unwrap_or_else(super::no_destination));
            };
            let Pick { index, permit } = pick;
            tried.push(index);
            request = inward.try_clone();
            let endpoint = AtEndpoint {
                behind: self,
                matched,
                destination,
                index,
                permit: Mutex::new(permit),
            };
            let result = match &to.endpoints[index] {
                None => endpoint.serve(inward, shared).await,
                Some(chain) => {
                    let way = (matched.number, destination);
                    let cells = facts.view.endpoint_cells(way, index, chain, &facts.shard.cells);
                    let walk = Walk::new(chain, facts, cells, endpoint);
                    Next::new(&walk, shared, 0).run(inward).await
                }
            };
            match result {
                Err(error) if error.is_unseen() && tried.len() < MAX_ENDPOINTS => {
                    last = Some(error);
                }
                result => return result,
            }
        }
        Err(last.unwrap_or_else(again))
    }
}

/// One endpoint, behind its plugins.
struct AtEndpoint<'b, 'a> {
    behind: &'b Behind<'a>,
    matched: &'b Matched<'a>,
    destination: usize,
    index: usize,
    permit: Mutex<Option<Permit>>,
}

impl End for AtEndpoint<'_, '_> {
    async fn serve(&self, request: Request<Body>, _: &Shared<'_>) -> Result<Response> {
        let permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
        let only = Some((self.index, permit));
        self.behind.perform(request, self.matched.clone(), self.destination, only).await
    }
}

/// What plugins have set: a host in place of the client's, a version of HTTP.
fn wishes(exchange: &Exchange, request: &Request<Body>) -> Wishes {
    let host = request.headers().get(header::HOST);
    let host = host.filter(|host| Some(*host) != exchange.host.as_ref());
    let version = request.extensions().get();
    Wishes { host: host.cloned(), version: version.map(|UpstreamVersion(version)| *version) }
}

fn again() -> Error {
    Error::gateway("chain_busy", "the request is on its way already")
}

impl Target<'_> {
    /// How long the request's body may pause, where it is sent anywhere.
    fn idle(&self) -> Option<Option<Duration>> {
        let destination = self.matched.plan.destinations().get(self.destination)?;
        Some(destination.stages.idle)
    }
}
