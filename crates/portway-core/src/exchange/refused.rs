//! A head that never became a request: it is answered, counted and has its record all the same.

use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method};
use portway_plugin::{Error, Response};

use super::{Accepted, render};
use crate::{
    forward::{Peer, X_REQUEST_ID, mint},
    server::Shard,
    snapshot::ListenerId,
    telemetry::access::Record,
    tls::TlsFacts,
};

/// What stands in a record for what could not be read.
const UNREAD: &str = "-";

/// Answers a head that the wire refused with `error`, and tells of it.
pub(crate) fn refused(shard: &Shard, listener: ListenerId, peer: &Peer, error: &Error) -> Response {
    let request_id = mint();
    record(shard, listener, peer, error, &request_id);
    let mut response = render(error, &Accepted::any(), &request_id);
    response.headers_mut().insert(X_REQUEST_ID, request_id);
    response
}

fn record(
    shard: &Shard,
    listener: ListenerId,
    peer: &Peer,
    error: &Error,
    request_id: &HeaderValue,
) {
    let view = shard.view();
    let status = error.status().as_u16();
    let method = Method::from_bytes(UNREAD.as_bytes()).expect("a hyphen is a token");
    let cells = view.cells(None, listener, &shard.cells);
    cells.finished(&method, status, Duration::ZERO, None, 0, 0);
    shard.cells.error(error.code(), error.side());
    if !shard.access.is_enabled() {
        return;
    }
    shard.access.write(&Record {
        time: SystemTime::now(),
        method: UNREAD,
        scheme: peer.scheme,
        host: &[],
        path: UNREAD.as_bytes(),
        protocol: "HTTP/1.1",
        status,
        bytes_in: 0,
        bytes_out: 0,
        duration: Duration::ZERO,
        upstream_duration: None,
        endpoint: None,
        tries: 0,
        route: None,
        service: None,
        listener: view.snapshot.listener(listener).map(|listener| &*listener.name),
        client: Some(peer.address.ip()),
        tls: peer.tls.as_ref().map(TlsFacts::told),
        consumer: None,
        user_agent: None,
        request_id: Some(request_id.as_bytes()),
        error: Some(error.code()),
        notes: &[],
        cause: Some(&error.cause()),
    });
}
