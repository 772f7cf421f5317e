//! Upgrades that are passed on: the tunnel behind a 101, or behind an extended CONNECT of HTTP/2.
//!
//! The two sides need not speak the same version. What an upgrade asks for in HTTP/1.1 (RFC 9110
//! section 7.8), an extended CONNECT asks for in HTTP/2 (RFC 8441); for WebSocket the key and its
//! digest (RFC 6455 section 4) exist in HTTP/1.1 alone, so the gateway adds them or takes them off.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Response as HttpResponse, StatusCode, Version, header};
use portway_plugin::{Body, Error, Result};

use super::{Answered, Rest};
use crate::{
    driver::{ClientUpgrade, Passing, Tunnelled, tunnel},
    exchange::Exchange,
    forward::{Hops, strip_response, via},
    upstream::{Sent, Upstream},
    websocket::Key,
};

/// An upgrade the client asks for and the service allows.
pub(super) struct Upgrade {
    pub(super) protocol: HeaderValue,
    client: ClientUpgrade,
    version: Version,
    /// The key of a WebSocket handshake, the client's or the gateway's own.
    key: Option<Key>,
}

impl Upgrade {
    /// The upgrade to be passed on, if any. One that is not allowed is not an error in HTTP/1.1:
    /// the request is forwarded without it (RFC 9110 section 7.8).
    ///
    /// # Errors
    /// An extended CONNECT for what is not allowed: there is no request without it. A WebSocket
    /// handshake without a key.
    pub(super) fn wanted(
        hops: &Hops,
        headers: &HeaderMap,
        exchange: &Exchange,
        upstream: &Upstream,
    ) -> Result<Option<Self>> {
        let Some(protocol) = hops.upgrade.clone() else { return Ok(None) };
        let version = exchange.version;
        let allowed = upstream.upgrades_to(protocol.as_bytes());
        if version == Version::HTTP_2 && !allowed {
            return Err(Error::client(
                StatusCode::NOT_IMPLEMENTED,
                "upgrade_not_allowed",
                "this protocol is not passed on",
            ));
        }
        if !allowed || version == Version::HTTP_10 {
            return Ok(None);
        }
        let is_websocket = protocol.as_bytes().eq_ignore_ascii_case(b"websocket");
        let key = match (is_websocket, version) {
            (false, _) => None,
            (true, Version::HTTP_2) => Some(Key::random()),
            (true, _) => Some(Key::of(headers).map_err(|_| bad_key())?),
        };
        let client = exchange.line.upgrade();
        Ok(client.map(|client| Self { protocol, client, version, key }))
    }

    /// Puts what the upgrade needs in HTTP/1.1 into the head of the request.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        headers.append(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, self.protocol.clone());
        if let Some(key) = &self.key {
            headers.insert(header::SEC_WEBSOCKET_KEY, key.value());
        }
    }

    /// The answer for the client, and the tunnel that is to follow it.
    pub(super) fn accept(self, sent: Sent, idle: Option<Duration>) -> Result<Answered> {
        let switched = sent.status() == StatusCode::SWITCHING_PROTOCOLS;
        let mut headers = sent.headers().clone();
        let agreed = headers.remove(header::UPGRADE);
        // A client of HTTP/1.1 looks itself whether its key was answered.
        let is_bridged = self.version == Version::HTTP_2;
        let is_accepted =
            !is_bridged || self.key.as_ref().is_none_or(|key| key.is_accepted(&headers));
        let accepted = headers.remove(header::SEC_WEBSOCKET_ACCEPT);
        if switched {
            let same =
                |to: &HeaderValue| to.as_bytes().eq_ignore_ascii_case(self.protocol.as_bytes());
            if !agreed.as_ref().is_some_and(same) || !is_accepted {
                return Err(super::forwarded::unasked_upgrade());
            }
        }
        strip_response(&mut headers);
        let received = if switched { Version::HTTP_11 } else { Version::HTTP_2 };
        headers.append(header::VIA, via(received));
        let mut response = HttpResponse::new(Body::empty());
        if self.version == Version::HTTP_2 {
            response.extensions_mut().insert(Tunnelled);
        } else {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::UPGRADE, agreed.unwrap_or(self.protocol));
            let made = || self.key.as_ref().filter(|_| !switched).map(Key::accept);
            if let Some(accepted) = accepted.or_else(made) {
                headers.insert(header::SEC_WEBSOCKET_ACCEPT, accepted);
            }
        }
        *response.headers_mut() = headers;
        let passing = if self.key.is_some() { Passing::WebSocket } else { Passing::Bytes };
        let tunnel = Box::new(Tunnel { client: self.client, sent, passing, idle });
        Ok(Answered { response, rest: Rest::Tunnel(tunnel) })
    }
}

fn bad_key() -> Error {
    Error::client(
        StatusCode::BAD_REQUEST,
        "bad_websocket_key",
        "Sec-WebSocket-Key is not 16 bytes in base64",
    )
}

/// The two ends of a tunnel, before a byte has passed.
pub(super) struct Tunnel {
    client: ClientUpgrade,
    sent: Sent,
    passing: Passing,
    idle: Option<Duration>,
}

impl Tunnel {
    /// Copies bytes once the client has its answer. The exchange ends with the tunnel.
    pub(super) async fn run(self: Box<Self>, mut exchange: Box<Exchange>) {
        let Self { client, sent, passing, idle } = *self;
        let (upstream, permit) = sent.into_upgrade();
        exchange.permit = permit;
        let Some(upstream) = upstream else {
            let error = Error::upstream(
                StatusCode::BAD_GATEWAY,
                "upstream_closed",
                "the upstream closed the connection",
            );
            exchange.blame(&error);
            return;
        };
        let leaving = exchange.leaving();
        let end = tunnel(client, upstream, passing, idle, leaving).await;
        exchange.tunnelled(&end);
    }
}
