//! From a request to its answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::answer::{self, Answer};
use super::payload::{Content, Events, Exchange, Payload};
use super::server::Connection;
use super::switches::Switches;
use super::upgrade;

/// The time between two events when the query does not say.
const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn respond(
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Infallible> {
    connection.counts.requests.fetch_add(1, Ordering::Relaxed);
    let abandoned = Arc::clone(&connection.counts.abandoned);
    let exchange = Exchange { abandoned, done: false };

    let mut response = match Switches::parse(request.uri().query().unwrap_or_default()) {
        Err(text) => refusal(text, exchange),
        Ok(switches) if upgrade::asked(&request) => {
            tokio::time::sleep(switches.wait).await;
            upgrade::accept(&connection, request, exchange)
        }
        Ok(switches) if upgrade::asked_on_stream(&request) => {
            tokio::time::sleep(switches.wait).await;
            upgrade::accept_on_stream(&connection, request, exchange)
        }
        Ok(switches) => plain(&connection, request, switches, exchange).await,
    };
    if let Some(name) = connection.name.as_deref().and_then(|name| name.parse().ok()) {
        response.headers_mut().insert(NAME, name);
    }
    Ok(response)
}

/// The header that tells the name of the upstream.
const NAME: HeaderName = HeaderName::from_static("x-echo-name");

/// A request that cannot be honoured, and why.
pub(super) fn refusal(text: String, exchange: Exchange) -> Response<Payload> {
    let mut response = response(Content::Whole(text.into()), exchange);
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

pub(super) fn response(content: Content, exchange: Exchange) -> Response<Payload> {
    Response::new(Payload::new(content, false, None, exchange))
}

async fn plain(
    connection: &Connection,
    request: Request<Incoming>,
    switches: Switches,
    mut exchange: Exchange,
) -> Response<Payload> {
    let (head, body) = request.into_parts();
    let received = match answer::receive(body).await {
        Ok(received) => received,
        Err(error) => return refusal(format!("the request body broke off: {error}\n"), exchange),
    };
    tokio::time::sleep(switches.wait).await;

    let (content, media_type) = content(connection, &head, received, &switches);
    // Such answers have no body, so nobody will take it to its end.
    exchange.done = head.method == Method::HEAD || bodiless(switches.status);
    let trailers = (!switches.trailers.is_empty()).then(|| fields(switches.trailers));
    let payload = Payload::new(content, switches.chunked, trailers, exchange);

    let mut response = Response::new(payload);
    *response.status_mut() = switches.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if media_type == EVENT_STREAM {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    if switches.close {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    announce_trailers(&mut response);
    response.headers_mut().extend(fields(switches.headers));
    response
}

const EVENT_STREAM: &str = "text/event-stream";

fn content(
    connection: &Connection,
    head: &Parts,
    received: (answer::Received, HeaderMap),
    switches: &Switches,
) -> (Content, &'static str) {
    if bodiless(switches.status) {
        return (Content::Whole(Bytes::new()), "text/plain");
    }
    if let Some(left) = switches.bytes {
        return (Content::Sample { left }, "text/plain");
    }
    if switches.events.is_some() || wants_events(head) {
        let every = switches.every.unwrap_or(EVERY);
        let events = Events::new(switches.events, every, connection.stopping.clone());
        return (Content::Events(events), EVENT_STREAM);
    }
    let answer = Answer::new(connection, head, received);
    let json = answer.to_json().expect("an answer has only text, numbers and lists of them");
    (Content::Whole(json.into()), "application/json")
}

fn bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn wants_events(head: &Parts) -> bool {
    let accept = head.headers.get_all(header::ACCEPT);
    accept.iter().any(|value| value.to_str().is_ok_and(|value| value.contains(EVENT_STREAM)))
}

/// Names the trailers in the head: over HTTP/1.1 only those are sent.
fn announce_trailers(response: &mut Response<Payload>) {
    let Some(trailers) = &response.body().trailers else { return };
    let names: Vec<HeaderValue> = trailers.keys().cloned().map(HeaderValue::from).collect();
    for name in names {
        response.headers_mut().append(header::TRAILER, name);
    }
}

fn fields(list: Vec<(HeaderName, HeaderValue)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in list {
        map.append(name, value);
    }
    map
}
