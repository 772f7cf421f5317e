//! What a request must be to be served at all.

use std::{borrow::Cow, sync::Arc};

use http::{HeaderValue, Method, Request, StatusCode, header, uri::PathAndQuery};
use portway_config::value::normalize_path;
use portway_plugin::{Body, Error, Response, Result};
use tokio::time::Instant;

use super::Arrival;
use crate::{
    exchange::Exchange,
    forward::{Identity, ambiguous_path, request_id, requested_host, without_port},
    route::Allow,
    server::Shard,
    snapshot::{ListenerPlan, RedirectPlan},
    upstream::Tries,
};

/// Begins to remember a request.
pub(super) fn exchange(shard: Arc<Shard>, arrival: Arrival, request: &Request<Body>) -> Exchange {
    let view = shard.view();
    arrival.line.begin();
    shard.cells.in_flight_add();
    let headers = request.headers();
    let listener = view.snapshot.listener(arrival.listener);
    let trusted = listener.is_some_and(|listener| listener.trusts(arrival.peer.address.ip()));
    let identity =
        Identity { peer: &arrival.peer, trusted, host: None, version: request.version() };
    let client = match listener {
        Some(listener) => identity.client(headers, listener),
        None => arrival.peer.address.ip(),
    };
    Exchange {
        started: Instant::now(),
        client,
        scheme: arrival.peer.scheme,
        method: request.method().clone(),
        uri: request.uri().clone(),
        version: request.version(),
        host: None,
        user_agent: headers.get(header::USER_AGENT).cloned(),
        request_id: request_id(headers, trusted),
        peer: arrival.peer,
        listener: arrival.listener,
        line: arrival.line,
        matched: None,
        tries: Tries::default(),
        upstream_took: None,
        status: None,
        error: None,
        bytes_in: None,
        bytes_out: 0,
        permit: None,
        grpc: None,
        accepted: None,
        consumer: None,
        notes: Vec::new(),
        watched: None,
        view,
        shard,
    }
}

/// The limits on a head, and what it must never say. The connection of a head that breaks them is
/// closed: what follows it may not be what the client means by it.
pub(super) fn check_head(request: &Request<Body>, listener: &ListenerPlan) -> Result<()> {
    let headers = request.headers();
    if *request.method() == Method::CONNECT || *request.method() == Method::TRACE {
        return Err(Error::client(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this method is never forwarded",
        )
        .with_header(header::ALLOW, HeaderValue::from_static(""))
        .closing());
    }
    if headers.len() > listener.max_headers {
        return Err(headers_too_large("the request has too many header fields"));
    }
    if let Some(limit) = listener.max_header_bytes {
        let bytes: usize =
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if bytes > limit {
            return Err(headers_too_large("the request's header fields are too large"));
        }
    }
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if listener.max_uri.is_some_and(|limit| target > limit) {
        return Err(Error::client(
            StatusCode::URI_TOO_LONG,
            "uri_too_long",
            "the request target is too long",
        )
        .closing());
    }
    Ok(())
}

/// Remembers the host for the log, whatever it is: of a request that is refused before it is clear
/// which one it asks for.
pub(super) fn note_host(exchange: &mut Exchange, request: &Request<Body>) {
    exchange.host = request.headers().get(header::HOST).cloned();
}

/// The host asked for, also for the log.
pub(super) fn host(
    exchange: &mut Exchange,
    request: &Request<Body>,
) -> Result<Option<HeaderValue>> {
    let host = requested_host(request.headers(), request.uri(), request.version())
        .inspect_err(|_| note_host(exchange, request))?;
    exchange.host.clone_from(&host);
    Ok(host)
}

/// What the listener says about the host: one that is not allowed, one that asks more of its
/// clients than this connection was asked, one that is served over TLS only.
///
/// # Errors
/// 421 for a host that must not be asked for on this connection (RFC 9110 section 15.5.20).
pub(super) fn judge_host(
    exchange: &Exchange,
    request: &Request<Body>,
    listener: &ListenerPlan,
) -> Result<Option<Response>> {
    let host = exchange.host.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !listener.allows(host) {
        return Err(Error::client(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "this host is not served here",
        )
        .closing());
    }
    match (&exchange.peer.tls, &listener.tls, &listener.redirect_https) {
        (Some(facts), Some(tls), _) => {
            if !tls.allows(&facts.asked, without_port(host)) {
                return Err(Error::client(
                    StatusCode::MISDIRECTED_REQUEST,
                    "misdirected_request",
                    "this host asks more of its clients: open another connection for it",
                ));
            }
            Ok(None)
        }
        // Whoever hosts the gateway may have ended TLS.
        (None, _, Some(redirect)) if exchange.scheme == "http" && redirect.takes(host) => {
            redirected(request, host, redirect).map(Some)
        }
        _ => Ok(None),
    }
}

fn redirected(request: &Request<Body>, host: &str, redirect: &RedirectPlan) -> Result<Response> {
    let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let location = format!("https://{}{}{target}", without_port(host), redirect.port);
    let location = HeaderValue::try_from(location)
        .map_err(|error| bad_target("the request target is not a path").because(error))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// The path and query asked for.
pub(super) fn target(request: &Request<Body>) -> Result<PathAndQuery> {
    let uri = request.uri();
    if let Some(scheme) = uri.scheme_str()
        && scheme != "http"
        && scheme != "https"
    {
        return Err(bad_target("the request target has a scheme other than http"));
    }
    match uri.path_and_query() {
        Some(target) if target.as_str().starts_with('/') => Ok(target.clone()),
        Some(target) if target == "*" && request.method() == Method::OPTIONS => Ok(target.clone()),
        _ => Err(bad_target("the request target is not a path")),
    }
}

/// The path in its one normal form. `*`, which asks about the server, has none.
pub(super) fn normal_path<'a>(
    target: &'a PathAndQuery,
    listener: &ListenerPlan,
) -> Result<Cow<'a, str>> {
    if target.path() == "*" {
        return Ok(Cow::Borrowed("*"));
    }
    normalize_path(target.path(), listener.allow_ambiguous_paths).map_err(ambiguous_path)
}

pub(super) fn no_route() -> Error {
    Error::client(StatusCode::NOT_FOUND, "no_route", "no route matches the request")
}

/// What no domain has belongs to the namespace `default`, and that one is switched off.
pub(super) fn no_domain() -> Error {
    Error::client(StatusCode::NOT_FOUND, "no_domain", "no domain has the host of the request")
}

pub(super) fn method_not_allowed(allow: &Allow) -> Error {
    let methods: Vec<&str> = allow.methods().iter().map(Method::as_str).collect();
    let error = Error::client(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "the path exists, the method does not",
    );
    match HeaderValue::try_from(methods.join(", ")) {
        Ok(value) => error.with_header(header::ALLOW, value),
        Err(_) => error,
    }
}

fn headers_too_large(message: &'static str) -> Error {
    Error::client(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", message)
        .closing()
}

fn bad_target(message: &'static str) -> Error {
    Error::client(StatusCode::BAD_REQUEST, "bad_target", message).closing()
}
