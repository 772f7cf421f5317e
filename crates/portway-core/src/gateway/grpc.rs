//! What is different about calls of gRPC: their deadlines, the bridge for browsers, and answers
//! that a client of gRPC can read.

use std::time::Duration;

use http::{HeaderMap, Request, StatusCode};
use portway_plugin::{Body, Error, Response, Result};
use tokio::time::Instant;

use crate::{
    exchange::Exchange,
    forward::Hops,
    grpc::{Bridge, Kind, read_timeout, settle, write_timeout},
    upstream::Upstream,
};

/// How long after a call's deadline the gateway ends it: the upstream keeps the same deadline, and
/// what it says about it is worth more.
const GRACE: Duration = Duration::from_millis(100);

/// A request that is a call of gRPC.
#[derive(Clone, Copy)]
pub(super) struct Call {
    kind: Kind,
    bridge: Option<Bridge>,
    /// When the client waits no longer.
    pub(super) deadline: Option<Instant>,
}

impl Call {
    /// Recognises a call, and makes one of gRPC-Web a call of gRPC where the service wants it.
    /// From now on failures are told in the words of gRPC.
    ///
    /// # Errors
    /// A `grpc-timeout` that says nothing.
    pub(super) fn begin(
        exchange: &mut Exchange,
        headers: &mut HeaderMap,
        hops: &Hops,
        upstream: &Upstream,
    ) -> Result<Option<Self>> {
        if !hops.seen.content_type {
            return Ok(None);
        }
        let Some(kind) = Kind::answering(headers) else { return Ok(None) };
        if kind.is_web() && !upstream.bridges_grpc_web() {
            return Ok(None);
        }
        exchange.grpc = Some(kind);
        let bridge = if kind.is_web() { Bridge::open(headers) } else { None };
        let timeout = read_timeout(headers).map_err(|_| bad_timeout())?;
        if let Some(timeout) = timeout {
            write_timeout(headers, timeout.saturating_sub(exchange.started.elapsed()));
        }
        let deadline = timeout.and_then(|timeout| exchange.started.checked_add(timeout + GRACE));
        Ok(Some(Self { kind, bridge, deadline }))
    }

    /// The request as the upstream reads it.
    pub(super) fn request(self, request: &mut Request<Body>) {
        if let Some(bridge) = self.bridge {
            let body = std::mem::take(request.body_mut());
            *request.body_mut() = bridge.request(body);
        }
    }

    /// The answer as the client reads it.
    pub(super) fn response(self, response: Response) -> Response {
        match self.bridge {
            Some(bridge) => bridge.response(response),
            None => settle(response, self.kind),
        }
    }
}

fn bad_timeout() -> Error {
    Error::client(
        StatusCode::BAD_REQUEST,
        "bad_grpc_timeout",
        "grpc-timeout is not up to eight digits and a unit",
    )
}
