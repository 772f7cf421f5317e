//! Answers of the gateway's own, for which nothing is forwarded: files, replies, redirects.

use http::{HeaderMap, StatusCode, header};
use portway_config::{Match, PathMatch, Redirect, StageTimeouts, TypedPath, value::PathPrefix};
use portway_plugin::{Body, Error, Response, Result};

use super::{
    Answered, Matched, Rest, captures,
    forwarded::{bound_answer, within},
};
use crate::{
    exchange::{AnswerLimits, Exchange},
    files::{self, Files},
    forward::{folder_location, forwarded_target, redirect_location, without_port},
    reply::{self, ReplyTemplate},
    snapshot::ListenerPlan,
};

/// A file, found by the path as the route rewrites it.
pub(super) async fn file(
    exchange: &Exchange,
    headers: &HeaderMap,
    matched: &Matched<'_>,
    (files, stages): (&Files, StageTimeouts),
    listener: &ListenerPlan,
) -> Result<Answered> {
    let rewrite = matched.plan.rewrite.as_ref();
    let path = forwarded_target(&matched.original, matched.path, false, true, rewrite, || {
        captures(exchange, matched)
    })?;
    let asked = files::Asked {
        method: &exchange.method,
        headers,
        path: path.path(),
        shown_path: matched.path,
    };
    let deadline = stages.request.map(|limit| exchange.started + limit);
    let answering = files.answer(asked);
    let answer = match deadline {
        None => answering.await,
        Some(deadline) => within(deadline, answering).await,
    };
    let response = match answer? {
        files::Answer::Response(response) => response,
        files::Answer::AddSlash => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            let location = folder_location(&matched.original, matched.path)?;
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
    };
    let limits = AnswerLimits { idle: stages.idle, deadline };
    let limits = bound_answer(exchange, &response, limits, listener);
    Ok(Answered { response, rest: Rest::Body(limits) })
}

/// A reply that is made for this request.
pub(super) fn reply(
    exchange: &Exchange,
    headers: &HeaderMap,
    template: &ReplyTemplate,
    matched: &Matched<'_>,
) -> Response {
    let host = exchange.host.as_ref().and_then(|host| host.to_str().ok());
    template.render(&reply::Asked {
        host: host.map(without_port).unwrap_or_default(),
        path: matched.path,
        query: matched.original.query(),
        method: &exchange.method,
        scheme: exchange.scheme,
        client: exchange.client,
        id: &exchange.request_id,
        headers,
        captures: captures(exchange, matched),
    })
}

/// The client is sent elsewhere.
pub(super) fn redirected(
    exchange: &Exchange,
    redirect: &Redirect,
    matched: &Matched<'_>,
) -> Result<Response> {
    let host = exchange.host.as_ref().and_then(|host| host.to_str().ok());
    let location = redirect_location(
        redirect,
        &matched.original,
        matched.path,
        exchange.scheme,
        host,
        matched_prefix(exchange, matched),
        || captures(exchange, matched),
    )?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(redirect.status.into())
        .map_err(|error| Error::gateway("bad_redirect", "not a status").because(error))?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// The prefix by which the request was matched, if it was by one.
fn matched_prefix<'a>(exchange: &'a Exchange, matched: &Matched<'_>) -> Option<&'a PathPrefix> {
    let snapshot = &exchange.view.snapshot;
    let compiled = snapshot.router.get(matched.id);
    let route = snapshot.config.routes.get(compiled.route() as usize)?;
    let one: &Match = route.matches.as_slice().get(compiled.index() as usize)?;
    match &one.path {
        Some(PathMatch::Typed(TypedPath::Prefix(prefix))) => Some(prefix),
        _ => None,
    }
}
