//! Requests that are forwarded: the head made ready, both bodies bounded, the answer's head finished.
//!
//! It knows nothing of plugins: the end of a chain and a route without one come here alike.

use std::{mem, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Request, StatusCode, Version, header};
use portway_config::{HostPolicy, value::HttpVersion};
use portway_plugin::{Body, Error, Response, Result};
use tokio::time::{Instant, timeout_at};

use super::{Answered, Matched, Rest, asked::Asked, captures, grpc, upgrade::Upgrade};
use crate::{
    driver::ClientLine,
    exchange::{AnswerLimits, Exchange, UploadLimits, limited, too_large},
    forward::{
        Hops, Identity, Introduction, X_REQUEST_ID, forwarded_target, introduce, strip_response,
        tell, via,
    },
    observe::{Event, What},
    server::Shard,
    snapshot::{Destination, ListenerPlan, Plan},
    upstream::{Call, Sent, Upstream},
};

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// What plugins want of the way to the upstream, in place of what the configuration says.
#[derive(Default)]
pub(super) struct Wishes {
    pub(super) host: Option<HeaderValue>,
    pub(super) version: Option<HttpVersion>,
}

/// Whether what is sent to the upstream can be said in the version of HTTP that is wished for.
fn can_speak(version: Option<HttpVersion>, upstream: &Upstream, is_grpc: bool) -> Result<()> {
    let cause = match version {
        Some(HttpVersion::Http11) if is_grpc => "gRPC needs HTTP/2",
        Some(HttpVersion::Http2) if upstream.introduces() => {
            "a connection of HTTP/2 is shared, and cannot begin with one client's PROXY header"
        }
        _ => return Ok(()),
    };
    let message = "the upstream cannot be asked in this version of HTTP";
    Err(Error::gateway("upstream_version", message).because(cause))
}

/// Sends a request to its destination and brings the head of the answer.
pub(super) async fn forward(
    exchange: &mut Exchange,
    request: &mut Request<Body>,
    hops: &Hops,
    matched: &Matched<'_>,
    destination: &Destination,
    listener: &ListenerPlan,
    wishes: Wishes,
) -> Result<Answered> {
    let view = Arc::clone(&exchange.view);
    let lane = &view.lanes[destination.upstream];
    let upstream = &lane.upstream;
    let call_of_grpc = grpc::Call::begin(exchange, request.headers_mut(), hops, upstream)?;
    can_speak(wishes.version, upstream, call_of_grpc.is_some())?;
    let target = forwarded_target(
        &matched.original,
        matched.path,
        upstream.forwards_raw_path(),
        upstream.drops_query(),
        matched.plan.rewrite.as_ref(),
        || captures(exchange, matched),
    )?;
    let upgrade = Upgrade::wanted(hops, request.headers(), exchange, upstream)?;
    let introduction = prepare_head(exchange, request, hops, upgrade.as_ref(), listener);
    if exchange.bytes_in.is_none() {
        bound_upload(exchange, request, matched, destination.stages.idle, listener)?;
    }
    if let Some(call) = call_of_grpc {
        call.request(request);
    }
    let Exchange { shard, line, host, peer, client, request_id, version, started, tries, .. } =
        exchange;
    let identity = Identity { peer, trusted: false, host: host.as_ref(), version: *version };
    let stages = destination.stages;
    let asked = Asked::of(matched, client, &view);
    let call = Call {
        lane,
        target,
        asked: &asked,
        host: match &wishes.host {
            Some(_) => &HostPolicy::Preserve,
            None => matched.plan.host.as_ref().unwrap_or_else(|| upstream.host_policy()),
        },
        client_host: wishes.host.as_ref().or(host.as_ref()),
        stages,
        keep_spelling: listener.server.keep_spelling,
        introduction: upstream.introduction(peer.address, peer.local),
        upgrade: upgrade.is_some(),
        version: wishes.version,
        now: *started,
        chosen: &|index| tell_chosen(shard, request_id, matched.plan, upstream, index),
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
    let deadline = deadline(stages.request.map(|limit| *started + limit), call_of_grpc);
    let sending = call.send(request, tries);
    let sent = match deadline {
        None => sending.await,
        // On the heap: few routes have one, and every request would carry it.
        Some(deadline) => within(deadline, Box::pin(sending)).await,
    };
    exchange.upstream_took = exchange.tries.started.map(|started| started.elapsed());
    exchange.tell_asked(sent.as_ref().map(Sent::status));
    let sent = sent?;
    if sent.is_upgrade() {
        let upgrade = upgrade.ok_or_else(unasked_upgrade)?;
        return upgrade.accept(sent, stages.idle);
    }
    let response = finish_head(exchange, sent);
    let response = match call_of_grpc {
        Some(call) => call.response(response),
        None => response,
    };
    let own = AnswerLimits { idle: stages.idle, deadline };
    let limits = bound_answer(exchange, &response, own, listener);
    Ok(Answered { response, rest: Rest::Body(limits) })
}

/// Tells the program that hosts the gateway, where it listens.
fn tell_chosen(
    shard: &Shard,
    request_id: &HeaderValue,
    plan: &Plan,
    upstream: &Upstream,
    index: usize,
) {
    let Some(observer) = &shard.hosts.observer else { return };
    observer.observe(&Event {
        request_id: request_id.to_str().unwrap_or_default(),
        route: Some(&plan.route),
        service: Some(upstream.label()),
        what: What::EndpointChosen { endpoint: &upstream.endpoints[index].label },
    });
}

/// When the answer's head must be there: by the route, and by the caller of gRPC.
fn deadline(own: Option<Instant>, call: Option<grpc::Call>) -> Option<Instant> {
    let called = call.and_then(|call| call.deadline);
    own.into_iter().chain(called).min()
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
pub(super) fn bound_upload(
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
pub(super) fn bound_answer(
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

pub(super) async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| {
        Err(Error::upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "request_timeout",
            "the request was not answered in time",
        ))
    })
}

pub(super) fn unasked_upgrade() -> Error {
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_protocol",
        "the upstream's answer is not valid HTTP",
    )
    .because("101 Switching Protocols without a request to switch")
}
