//! Serves one request: from its head to an answer whose body still streams.
//!
//! The straight line of the data plane. It never fails: what goes wrong becomes an answer, and a
//! panic is one request's 500.

mod admit;
mod asked;
mod chained;
mod forwarded;
mod grpc;
mod hosted;
mod own;
mod service;
mod upgrade;

use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, StatusCode, uri::PathAndQuery};
use pin_project_lite::pin_project;
use portway_config::ListenerProtocol;
use portway_plugin::{Body, Error, Response, Result, panics::caught};

use crate::{
    driver::ClientLine,
    exchange::{Accepted, AnswerLimits, Exchange, render, track},
    explain::DEBUG_ID,
    forward::{Hops, Peer, X_REQUEST_ID, strip_consumer, strip_request},
    grpc::{Kind, refusal},
    route::{Captures, Certificate, Found, Lookup, MatchId},
    server::Shard,
    snapshot::{Action, ListenerId, ListenerPlan, Plan, Snapshot},
};
use forwarded::{Wishes, forward};
use upgrade::Tunnel;

pub(crate) use hosted::Hosted;
pub use hosted::{AdminPeer, AdminService};
pub use service::{Gateway, HostedPeer};

/// The connection a request came by.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) peer: Arc<Peer>,
    pub(crate) listener: ListenerId,
    pub(crate) line: ClientLine,
}

/// Serves one request.
#[expect(clippy::manual_async_fn, reason = "its future would have room for each argument twice")]
pub(crate) fn serve(
    shard: Arc<Shard>,
    arrival: Arrival,
    mut request: Request<Body>,
) -> impl Future<Output = Response> + Send {
    async move {
        let mut exchange = Box::new(admit::exchange(shard, arrival, &request));
        hosted::watch(&mut exchange, &mut request);
        let answered = Caught { work: answer(&mut exchange, &mut request) }.await;
        finish(answered, exchange, &request)
    }
}

/// The answer as it is sent, and the exchange tied to what follows its head.
fn finish(
    answered: Result<Answered>,
    mut exchange: Box<Exchange>,
    request: &Request<Body>,
) -> Response {
    let Answered { mut response, rest } = answered.unwrap_or_else(|error| {
        exchange.blame(&error);
        exchange.tell_refused(&error);
        told(&error, &mut exchange, request).into()
    });
    let headers = response.headers_mut();
    exchange.line.add_field(headers, X_REQUEST_ID, exchange.request_id.clone());
    if let Some(id) = exchange.watched_as() {
        exchange.line.add_field(headers, DEBUG_ID, id);
    }
    match rest {
        Rest::Body(limits) => track(response, exchange, limits),
        Rest::Tunnel(tunnel) => {
            exchange.status = Some(response.status().as_u16());
            // What plugins keep to the last byte hangs on the body, which such an answer has not.
            let kept = mem::take(response.body_mut());
            tokio::spawn(async move {
                tunnel.run(exchange).await;
                drop(kept);
            });
            response
        }
    }
}

/// The answer for an error, as the client or the program that hosts the gateway wants it.
fn told(error: &Error, exchange: &mut Exchange, request: &Request<Body>) -> Response {
    if let Some(kind) = exchange.grpc.or_else(|| Kind::answering(request.headers())) {
        return refusal(error, kind);
    }
    if let Some(response) = exchange.rendered(error) {
        return response;
    }
    let accepted = exchange.accepted.take().unwrap_or_else(|| Accepted::by(request));
    render(error, &accepted, &exchange.request_id)
}

/// An answer's head, and what follows it.
struct Answered {
    response: Response,
    rest: Rest,
}

/// What follows the head of an answer.
enum Rest {
    /// The response's body.
    Body(AnswerLimits),
    /// Bytes both ways.
    Tunnel(Box<Tunnel>),
}

impl From<Response> for Answered {
    fn from(response: Response) -> Self {
        Self { response, rest: Rest::Body(AnswerLimits::default()) }
    }
}

pin_project! {
    /// One request's panic is one request's error.
    struct Caught<F> {
        #[pin]
        work: F,
    }
}

impl<T, F: Future<Output = Result<T>>> Future for Caught<F> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let work = self.project().work;
        // What a panic leaves behind belongs to this request alone and is dropped with it.
        caught(|| work.poll(cx)).unwrap_or_else(|cause| {
            Poll::Ready(Err(Error::gateway("internal", "the gateway failed").because(cause)))
        })
    }
}

/// What was matched, and what matching it took.
#[derive(Clone)]
struct Matched<'a> {
    plan: &'a Plan,
    /// The plan's number.
    number: usize,
    id: MatchId,
    /// The path in its normal form, as plugins have left it.
    path: &'a str,
    /// The path by which the route was found, which the captures are parts of.
    found_by: &'a str,
    original: PathAndQuery,
}

async fn answer(exchange: &mut Exchange, request: &mut Request<Body>) -> Result<Answered> {
    let view = Arc::clone(&exchange.view);
    let listener = view.snapshot.listener(exchange.listener).ok_or_else(listener_gone)?;
    if listener.unguarded {
        return Err(listener_gone());
    }
    admit::check_head(request, listener).inspect_err(|_| admit::note_host(exchange, request))?;
    if listener.protocol == ListenerProtocol::Admin {
        // On the heap: it is nothing every request should carry.
        return Box::pin(hosted::answer(exchange, request, listener)).await;
    }
    let requested = admit::host(exchange, request)?;
    if listener.judges_hosts() {
        match admit::judge_host(exchange, request, listener) {
            Ok(None) => {}
            Ok(Some(response)) => return Ok(response.into()),
            Err(error) if listener.strict => return hang_up(exchange, error).await,
            Err(error) => return Err(error),
        }
    }
    let host = requested.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default();
    let world = view.world(host);
    if world.is_none() && listener.strict {
        return hang_up(exchange, admit::no_domain()).await;
    }
    let original = admit::target(request)?;
    let spelled = original.clone();
    let path = admit::normal_path(&spelled, listener)?;
    let Some(world) = world else {
        return unmatched(exchange, request, admit::no_domain(), &path, listener).await;
    };
    let found = view.snapshot.router.find(
        &Lookup {
            world,
            host,
            path: &path,
            method: request.method(),
            headers: request.headers(),
            query: original.query(),
            listener: &listener.own_name,
            certificate: exchange.peer.certificate().map(|client| client as &dyn Certificate),
        },
        &view.regexes,
    );
    let id = match found {
        Found::Route(id) => id,
        Found::MethodNotAllowed(allow) => {
            let error = admit::method_not_allowed(&allow);
            return unmatched(exchange, request, error, &path, listener).await;
        }
        Found::None => {
            return unmatched(exchange, request, admit::no_route(), &path, listener).await;
        }
    };
    let number = view.snapshot.router.get(id).route() as usize;
    exchange.matched = Some((number, 0));
    let plan = &view.snapshot.plans[number];
    let matched = Matched { plan, number, id, path: &path, found_by: &path, original };
    let destination = match &plan.action {
        Action::Forward { picker, .. } => picker.next(&[]),
        _ => Some(0),
    };
    let destination = destination.ok_or_else(no_destination)?;
    exchange.matched = Some((number, destination));
    let chain = view.snapshot.chain(number, destination, listener.class);
    exchange.tell_started(chain.is_some());
    if let Some(chain) = chain {
        let target = Ok(chained::Target { matched: &matched, destination });
        let mut way = chained::Way { chain, target, view: &view, listener, path: &path };
        return chained::through(exchange, request, &mut way).await;
    }
    let hops = strip_hops(request, &view.snapshot);
    match matched.plan.destinations().get(destination) {
        Some(to) => {
            forward(exchange, request, &hops, &matched, to, listener, Wishes::default()).await
        }
        // On the heap: files are slower than that, and every request would carry it.
        None => Box::pin(own_answer(exchange, request.headers(), &matched, listener)).await,
    }
}

/// Takes off what concerns one connection only, and what only plugins may say.
fn strip_hops(request: &mut Request<Body>, snapshot: &Snapshot) -> Hops {
    let hops = strip_request(request.headers_mut());
    if hops.seen.consumer && snapshot.tells_of_consumers {
        strip_consumer(request.headers_mut());
    }
    hops
}

/// A request that no route takes still meets the plugins of its listener.
async fn unmatched(
    exchange: &mut Exchange,
    request: &mut Request<Body>,
    error: Error,
    path: &str,
    listener: &ListenerPlan,
) -> Result<Answered> {
    let view = Arc::clone(&exchange.view);
    let chain = view.snapshot.unmatched.get(listener.class).and_then(Option::as_deref);
    let Some(chain) = chain else { return Err(error) };
    let mut way = chained::Way { chain, target: Err(error), view: &view, listener, path };
    // On the heap: it is rare, and every request would carry it.
    Box::pin(chained::through(exchange, request, &mut way)).await
}

/// Answers a request that is forwarded to nobody.
async fn own_answer(
    exchange: &mut Exchange,
    headers: &HeaderMap,
    matched: &Matched<'_>,
    listener: &ListenerPlan,
) -> Result<Answered> {
    match &matched.plan.action {
        // A destination that is not there.
        Action::Forward { .. } => Err(no_destination()),
        Action::Reply(reply) => {
            let mut response = Response::new(Body::from(reply.body.clone()));
            *response.status_mut() = reply.status;
            *response.headers_mut() = reply.headers.clone();
            Ok(response.into())
        }
        Action::Template(template) => Ok(own::reply(exchange, headers, template, matched).into()),
        Action::Files { files, stages } => {
            own::file(exchange, headers, matched, (files, **stages), listener).await
        }
        Action::Redirect(redirect) => Ok(own::redirected(exchange, redirect, matched)?.into()),
    }
}

/// Ends the connection without an answer, where that can be.
async fn hang_up(exchange: &mut Exchange, error: Error) -> Result<Answered> {
    if matches!(exchange.line, ClientLine::Foreign(_)) {
        // The connection is another server's, which waits for an answer.
        return Err(error);
    }
    if !exchange.peer.hang_up() {
        // It was opened when its listener was not strict.
        return Err(error.closing());
    }
    exchange.blame(&error);
    exchange.status = Some(error.status().as_u16());
    std::future::pending().await
}

fn captures<'a>(exchange: &'a Exchange, matched: &'a Matched<'_>) -> Captures<'a> {
    let view = &exchange.view;
    view.snapshot.router.captures(matched.id, matched.found_by, &view.regexes)
}

fn no_destination() -> Error {
    Error::upstream(
        StatusCode::SERVICE_UNAVAILABLE,
        "no_endpoint",
        "no service of the route takes requests",
    )
}

fn listener_gone() -> Error {
    Error::gateway("listener_removed", "the listener was removed").closing()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is moved to the heap with every request: what it weighs is copied.
    #[test]
    fn the_future_of_a_request_is_small() {
        fn size<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        let serve = size(serve);
        assert!(serve <= 3 * 1024, "{serve} bytes");
    }
}
