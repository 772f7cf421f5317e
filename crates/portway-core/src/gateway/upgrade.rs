//! Upgrades that are passed on: the tunnel behind a 101.

use std::time::Duration;

use http::{HeaderValue, Response as HttpResponse, StatusCode, Version, header};
use portway_plugin::{Body, Error, Result};

use super::{Answered, Rest};
use crate::{
    driver::{ClientUpgrade, tunnel},
    exchange::Exchange,
    forward::{Hops, strip_response, via},
    upstream::{Sent, Upstream},
};

/// An upgrade the client asks for and the service allows.
pub(super) struct Upgrade {
    pub(super) protocol: HeaderValue,
    client: ClientUpgrade,
}

impl Upgrade {
    /// The upgrade to be passed on, if any. One that is not allowed is not an error: the request
    /// is forwarded without it (RFC 9110 section 7.8).
    pub(super) fn wanted(hops: &Hops, exchange: &Exchange, upstream: &Upstream) -> Option<Self> {
        let protocol = hops.upgrade.as_ref()?;
        if exchange.version != Version::HTTP_11 || !upstream.upgrades_to(protocol.as_bytes()) {
            return None;
        }
        Some(Self { protocol: protocol.clone(), client: exchange.line.upgrade()? })
    }

    /// The 101 for the client, and the tunnel that is to follow it.
    pub(super) fn accept(self, sent: Sent, idle: Option<Duration>) -> Result<Answered> {
        let mut response = HttpResponse::new(Body::empty());
        *response.status_mut() = sent.status();
        *response.headers_mut() = sent.headers().clone();
        let headers = response.headers_mut();
        let agreed = headers
            .remove(header::UPGRADE)
            .filter(|to| to.as_bytes().eq_ignore_ascii_case(self.protocol.as_bytes()))
            .ok_or_else(super::unasked_upgrade)?;
        strip_response(headers);
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, agreed);
        headers.append(header::VIA, via(Version::HTTP_11));
        let tunnel = Box::new(Tunnel { client: self.client, sent, idle });
        Ok(Answered { response, rest: Rest::Tunnel(tunnel) })
    }
}

/// The two ends of a tunnel, before a byte has passed.
pub(super) struct Tunnel {
    client: ClientUpgrade,
    sent: Sent,
    idle: Option<Duration>,
}

impl Tunnel {
    /// Copies bytes once the client has its 101. The exchange ends with the tunnel.
    pub(super) async fn run(self: Box<Self>, mut exchange: Box<Exchange>) {
        let Self { client, sent, idle } = *self;
        let (answer, permit) = sent.into_answer();
        exchange.permit = permit;
        let Some(upstream) = answer.into_upgrade() else {
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
