//! Serves one request: from its head to an answer whose body still streams.
//!
//! The straight line of the data plane. It never fails: what goes wrong becomes an answer, and a
//! panic is one request's 500.

mod admit;
mod chained;
mod grpc;
mod hosted;
mod own;
mod service;
mod upgrade;

use std::{
    mem,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Request, StatusCode, Version, header, uri::PathAndQuery};
use pin_project_lite::pin_project;
use portway_config::{HostPolicy, ListenerProtocol};
use portway_plugin::{Body, Error, Response, Result};
use tokio::time::{Instant, timeout_at};

use crate::{
    driver::ClientLine,
    exchange::{Accepted, AnswerLimits, Exchange, UploadLimits, limited, render, too_large, track},
    forward::{
        Hops, Identity, Introduction, Peer, X_REQUEST_ID, forwarded_target, introduce,
        strip_consumer, strip_request, strip_response, tell, via,
    },
    grpc::{Kind, refusal},
    route::{Captures, Certificate, Found, Lookup, MatchId},
    server::Shard,
    snapshot::{Action, Destination, ListenerId, ListenerPlan, Plan, Snapshot},
    upstream::{Call, Sent},
};
use upgrade::{Tunnel, Upgrade};

pub(crate) use hosted::Hosted;
pub use hosted::{AdminPeer, AdminService};
pub use service::{ClientAddr, Gateway};

/// The connection a request came by.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) peer: Arc<Peer>,
    pub(crate) listener: ListenerId,
    pub(crate) line: ClientLine,
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Serves one request.
pub(crate) async fn serve(
    shard: Arc<Shard>,
    arrival: Arrival,
    mut request: Request<Body>,
) -> Response {
    let mut exchange = Box::new(admit::exchange(shard, arrival, &request));
    let answered = Caught { work: answer(&mut exchange, &mut request) }.await;
    let Answered { mut response, rest } = answered.unwrap_or_else(|error| {
        exchange.blame(&error);
        Answered::from(match exchange.grpc.or_else(|| Kind::answering(request.headers())) {
            Some(kind) => refusal(&error, kind),
            None => {
                let accepted = exchange.accepted.take();
                let accepted = accepted.unwrap_or_else(|| Accepted::by(&request));
                render(&error, &accepted, &exchange.request_id)
            }
        })
    });
    let headers = response.headers_mut();
    exchange.line.add_field(headers, X_REQUEST_ID, exchange.request_id.clone());
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
        std::panic::catch_unwind(AssertUnwindSafe(|| work.poll(cx))).unwrap_or_else(|panic| {
            let cause = format!("panic: {}", panic_text(&*panic));
            Poll::Ready(Err(Error::gateway("internal", "the gateway failed").because(cause)))
        })
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown")
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
            Err(error) if listener.strict => return hang_up(exchange, &error).await,
            Err(error) => return Err(error),
        }
    }
    let host = requested.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default();
    let world = view.world(host);
    if world.is_none() && listener.strict {
        return hang_up(exchange, &admit::no_domain()).await;
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
        Action::Forward { picker, .. } => picker.pick(&[]).map(|pick| pick.index),
        _ => Some(0),
    };
    let destination = destination.ok_or_else(no_destination)?;
    exchange.matched = Some((number, destination));
    if let Some(chain) = view.snapshot.chain(number, destination, listener.class) {
        let target = chained::Target { matched, destination };
        let way = chained::Way { chain, target: Ok(target), listener, path: &path };
        // On the heap: requests without plugins do not carry it.
        return Box::pin(chained::through(exchange, request, way)).await;
    }
    let hops = strip_hops(request, &view.snapshot);
    match matched.plan.destinations().get(destination) {
        Some(to) => forward(exchange, request, hops, &matched, to, listener, None).await,
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
    let way = chained::Way { chain, target: Err(error), listener, path };
    Box::pin(chained::through(exchange, request, way)).await
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
        Action::Reply { status, headers: own, body } => {
            let mut response = Response::new(Body::from(body.clone()));
            *response.status_mut() = *status;
            *response.headers_mut() = own.clone();
            Ok(response.into())
        }
        Action::Template(template) => Ok(own::reply(exchange, headers, template, matched).into()),
        Action::Files { files, stages } => {
            own::file(exchange, headers, matched, (files, *stages), listener).await
        }
        Action::Redirect(redirect) => Ok(own::redirected(exchange, redirect, matched)?.into()),
    }
}

/// Ends the connection without an answer.
async fn hang_up(exchange: &mut Exchange, error: &Error) -> Result<Answered> {
    exchange.blame(error);
    exchange.status = Some(error.status().as_u16());
    exchange.peer.hang_up();
    std::future::pending().await
}

fn captures<'a>(exchange: &'a Exchange, matched: &'a Matched<'_>) -> Captures<'a> {
    let view = &exchange.view;
    view.snapshot.router.captures(matched.id, matched.found_by, &view.regexes)
}

async fn forward(
    exchange: &mut Exchange,
    request: &mut Request<Body>,
    hops: Hops,
    matched: &Matched<'_>,
    destination: &Destination,
    listener: &ListenerPlan,
    changed_host: Option<HeaderValue>,
) -> Result<Answered> {
    let view = Arc::clone(&exchange.view);
    let lane = &view.lanes[destination.upstream];
    let upstream = &lane.upstream;
    let call_of_grpc = grpc::Call::begin(exchange, request.headers_mut(), &hops, upstream)?;
    let target = forwarded_target(
        &matched.original,
        matched.path,
        upstream.forwards_raw_path(),
        upstream.drops_query(),
        matched.plan.rewrite.as_ref(),
        || captures(exchange, matched),
    )?;
    let upgrade = Upgrade::wanted(&hops, request.headers(), exchange, upstream)?;
    let introduction = prepare_head(exchange, request, &hops, upgrade.as_ref(), listener);
    if exchange.bytes_in.is_none() {
        bound_upload(exchange, request, matched, destination.stages.idle, listener)?;
    }
    if let Some(call) = call_of_grpc {
        call.request(request);
    }
    let Exchange { line, host, peer, request_id, version, started, tries, .. } = exchange;
    let identity = Identity { peer, trusted: false, host: host.as_ref(), version: *version };
    let stages = destination.stages;
    let call = Call {
        lane,
        target,
        host: match &changed_host {
            Some(_) => &HostPolicy::Preserve,
            None => matched.plan.host.as_ref().unwrap_or_else(|| upstream.host_policy()),
        },
        client_host: changed_host.as_ref().or(host.as_ref()),
        stages,
        keep_spelling: listener.server.keep_spelling,
        introduction: upstream.introduction(peer.address, peer.local),
        upgrade: upgrade.is_some(),
        now: *started,
        interim: &|status, headers| pass_interim(line, status, headers),
        fields: &|fields| {
            if introduction == Introduction::Apart {
                tell(fields, &identity, listener);
            }
            fields.push(&X_REQUEST_ID, request_id);
            if hops.trailers {
                fields.push(&header::TE, &HeaderValue::from_static("trailers"));
                fields.push(&header::CONNECTION, &HeaderValue::from_static("te"));
            }
        },
    };
    let deadline = stages.request.map(|limit| *started + limit);
    let called = call_of_grpc.and_then(|call| call.deadline);
    let deadline = deadline.into_iter().chain(called).min();
    let sending = call.send(request, tries);
    let sent = match deadline {
        None => sending.await,
        // On the heap: few routes have such a deadline, and every request would carry it.
        Some(deadline) => within(deadline, Box::pin(sending)).await,
    };
    exchange.upstream_took = exchange.tries.started.map(|started| started.elapsed());
    let sent = sent?;
    if sent.is_upgrade() {
        let upgrade = upgrade.ok_or_else(unasked_upgrade)?;
        return upgrade.accept(sent, stages.idle);
    }
    let mut response = finish_head(exchange, sent);
    if let Some(call) = call_of_grpc {
        response = call.response(response);
    }
    let limits = AnswerLimits { idle: stages.idle, deadline };
    let limits = bound_answer(exchange, &response, limits, listener);
    Ok(Answered { response, rest: Rest::Body(limits) })
}

/// The head as the upstream may see it, but for `Host` and what is told apart.
fn prepare_head(
    exchange: &Exchange,
    request: &mut Request<Body>,
    hops: &Hops,
    upgrade: Option<&Upgrade>,
    listener: &ListenerPlan,
) -> Introduction {
    let trusted = listener.trusts(exchange.peer.address.ip());
    let identity = Identity {
        peer: &exchange.peer,
        trusted,
        host: exchange.host.as_ref(),
        version: exchange.version,
    };
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    let introduction = if hops.introduced {
        Introduction::InHead
    } else {
        introduce(headers, hops.seen, &identity, listener)
    };
    if hops.seen.expect {
        // The gateway answers `100 Continue` itself, when it begins to read the body.
        headers.remove(header::EXPECT);
    }
    if let Some(upgrade) = upgrade {
        upgrade.ask(headers);
    }
    introduction
}

/// Counts and bounds the request's body.
fn bound_upload(
    exchange: &mut Exchange,
    request: &mut Request<Body>,
    matched: &Matched<'_>,
    idle: Option<Duration>,
    listener: &ListenerPlan,
) -> Result<()> {
    let bytes = matched.plan.body_limit.unwrap_or(listener.max_body);
    let size = http_body::Body::size_hint(request.body()).lower();
    if let Some(limit) = bytes.filter(|&limit| size > limit) {
        return Err(too_large(limit));
    }
    let deadline = listener.read_timeout.map(|limit| exchange.started + limit);
    let limits = UploadLimits { bytes, deadline, idle };
    let (body, count) = limited(mem::take(request.body_mut()), limits);
    exchange.bytes_in = count;
    *request.body_mut() = body;
    Ok(())
}

/// The answer's head as the client may see it; its body still to be read.
fn finish_head(exchange: &mut Exchange, sent: Sent) -> Response {
    let is_early = sent.is_early();
    let (mut response, permit) = sent.into_response();
    exchange.permit = permit;
    strip_response(response.headers_mut());
    let received = via(response.version());
    exchange.line.add_field(response.headers_mut(), header::VIA, received);
    *response.version_mut() = Version::HTTP_11;
    if is_early && exchange.version < Version::HTTP_2 {
        // The rest of the request is not read once the answer is complete.
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    response
}

/// The limits on an answer's body, with the listener's. A stream of events has no end that could
/// be waited for.
fn bound_answer(
    exchange: &Exchange,
    response: &Response,
    limits: AnswerLimits,
    listener: &ListenerPlan,
) -> AnswerLimits {
    let is_endless = is_event_stream(response);
    let written = listener.write_timeout.filter(|_| !is_endless);
    let written = written.map(|limit| exchange.started + limit);
    // The body of an answer that the client does not take is not asked for: the connection has to
    // be watched as well.
    exchange.line.limit_answer(limits.idle, written);
    if is_endless {
        return AnswerLimits { deadline: None, ..limits };
    }
    AnswerLimits { deadline: limits.deadline.into_iter().chain(written).min(), ..limits }
}

/// Passes an interim answer of the upstream on. `100 Continue` is the gateway's own to say, when
/// it begins to read the body.
fn pass_interim(line: &ClientLine, status: StatusCode, headers: &HeaderMap) {
    if status != StatusCode::CONTINUE {
        let mut headers = headers.clone();
        strip_response(&mut headers);
        line.interim(status, &headers);
    }
}

fn is_event_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| {
        Err(Error::upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "request_timeout",
            "the upstream did not answer in time",
        ))
    })
}

fn unasked_upgrade() -> Error {
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_protocol",
        "the upstream's answer is not valid HTTP",
    )
    .because("101 Switching Protocols without a request to switch")
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
