//! Upgrades that are passed on: the tunnel behind a 101, or behind an extended CONNECT of HTTP/2.
//!
//! The two sides need not speak the same version. What an upgrade asks for in HTTP/1.1 (RFC 9110
//! section 7.8), an extended CONNECT asks for in HTTP/2 (RFC 8441); for WebSocket the key and its
//! digest (RFC 6455 section 4) exist in HTTP/1.1 alone, so the gateway adds them or takes them off.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use http::{
    HeaderMap, HeaderName, HeaderValue, Response as HttpResponse, StatusCode, Version, header,
};
use portway_plugin::{Body, Error, Result};

use super::{Answered, Rest};
use crate::{
    driver::{ClientUpgrade, Tunnelled, tunnel},
    exchange::Exchange,
    forward::{Hops, strip_response, via},
    upstream::{Sent, Upstream},
};

const SEC_WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const SEC_WEBSOCKET_ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");
/// What a server puts behind a key to show that it speaks WebSocket (RFC 6455 section 1.3).
const WEBSOCKET_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// An upgrade the client asks for and the service allows.
pub(super) struct Upgrade {
    pub(super) protocol: HeaderValue,
    client: ClientUpgrade,
    version: Version,
    /// The key of a WebSocket handshake, the client's or the gateway's own.
    key: Option<HeaderValue>,
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
            (true, Version::HTTP_2) => Some(new_key()),
            (true, _) => Some(key_of(headers)?),
        };
        let client = exchange.line.upgrade();
        Ok(client.map(|client| Self { protocol, client, version, key }))
    }

    /// Puts what the upgrade needs in HTTP/1.1 into the head of the request.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        headers.append(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, self.protocol.clone());
        if let Some(key) = &self.key {
            headers.insert(SEC_WEBSOCKET_KEY, key.clone());
        }
    }

    /// The answer for the client, and the tunnel that is to follow it.
    pub(super) fn accept(self, sent: Sent, idle: Option<Duration>) -> Result<Answered> {
        let switched = sent.status() == StatusCode::SWITCHING_PROTOCOLS;
        let mut headers = sent.headers().clone();
        let agreed = headers.remove(header::UPGRADE);
        let accepted = headers.remove(SEC_WEBSOCKET_ACCEPT);
        let digest = self.key.as_ref().map(accept_of);
        if switched {
            let same = |to: &HeaderValue| {
                to.as_bytes().eq_ignore_ascii_case(self.protocol.as_bytes())
            };
            let is_websocket = digest.is_none() || accepted == digest;
            if !agreed.as_ref().is_some_and(same) || !is_websocket {
                return Err(super::unasked_upgrade());
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
            if let Some(digest) = digest {
                headers.insert(SEC_WEBSOCKET_ACCEPT, digest);
            }
        }
        *response.headers_mut() = headers;
        let tunnel = Box::new(Tunnel { client: self.client, sent, idle });
        Ok(Answered { response, rest: Rest::Tunnel(tunnel) })
    }
}

/// The key of a handshake: 16 bytes in Base64 (RFC 6455 section 4.1).
fn key_of(headers: &HeaderMap) -> Result<HeaderValue> {
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let (key, others) = (keys.next(), keys.next());
    let is_key = |key: &&HeaderValue| BASE64.decode(key.as_bytes()).is_ok_and(|k| k.len() == 16);
    key.filter(|_| others.is_none()).filter(is_key).cloned().ok_or_else(|| {
        Error::client(
            StatusCode::BAD_REQUEST,
            "bad_websocket_key",
            "Sec-WebSocket-Key is not 16 bytes in Base64",
        )
    })
}

/// A key of the gateway's own. It tells handshakes apart and keeps no secret.
fn new_key() -> HeaderValue {
    let key = BASE64.encode(fastrand::u128(..).to_be_bytes());
    HeaderValue::try_from(key).expect("Base64 is visible ASCII")
}

/// What a server that speaks WebSocket answers to `key`.
fn accept_of(key: &HeaderValue) -> HeaderValue {
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(WEBSOCKET_GUID);
    let accept = BASE64.encode(hash.finish());
    HeaderValue::try_from(accept).expect("Base64 is visible ASCII")
}

/// The two ends of a tunnel, before a byte has passed.
pub(super) struct Tunnel {
    client: ClientUpgrade,
    sent: Sent,
    idle: Option<Duration>,
}

impl Tunnel {
    /// Copies bytes once the client has its answer. The exchange ends with the tunnel.
    pub(super) async fn run(self: Box<Self>, mut exchange: Box<Exchange>) {
        let Self { client, sent, idle } = *self;
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
        let removed = exchange.removed();
        let end = tunnel(client, upstream, idle, removed).await;
        exchange.tunnelled(&end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_the_key_of_the_standard_is_the_one_it_gives() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept_of(&key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let mut headers = HeaderMap::new();
        assert!(key_of(&headers).is_err());
        headers.append(SEC_WEBSOCKET_KEY, new_key());
        assert!(key_of(&headers).is_ok());
        headers.append(SEC_WEBSOCKET_KEY, key);
        assert!(key_of(&headers).is_err());
    }
}
