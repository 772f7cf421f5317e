//! What a request says to the connection it came by.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use portway_http1::server::Control;
use tokio::time::Instant;

use super::{Upgradable, http2::StreamLine, tunnel::ClientUpgrade};

/// A request's line to the client's connection, beyond its answer.
#[derive(Clone, Debug)]
pub(crate) enum ClientLine {
    Http1(Control),
    Http2(Arc<StreamLine>),
    /// The connection is somebody else's, who may give it up.
    Foreign(Option<Upgradable>),
}

impl ClientLine {
    /// A request is served from now on.
    pub(crate) fn begin(&self) {
        if let Self::Http2(line) = self {
            line.begin();
        }
    }

    /// A request was served, at `now`.
    pub(crate) fn end(&self, now: Instant) {
        if let Self::Http2(line) = self {
            line.end(now);
        }
    }

    /// The connection takes no further request: what is in flight is the last.
    pub(crate) fn last(&self) {
        match self {
            Self::Http1(control) => control.last(),
            Self::Http2(line) => line.last(),
            Self::Foreign(_) => {}
        }
    }

    /// Bounds the answer: for how long the client may take not one byte of it, and when it must
    /// be over. HTTP/2 has other streams beside it, which must not be cut.
    pub(crate) fn limit_answer(&self, stall: Option<Duration>, cut: Option<Instant>) {
        match self {
            Self::Http1(control) => control.limit_answer(stall, cut),
            Self::Http2(line) => line.limit(stall),
            Self::Foreign(_) => {}
        }
    }

    /// Adds a header field to the answer that is being made. `headers` are its own.
    pub(crate) fn add_field(&self, headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
        match self {
            Self::Http1(control) => control.add_field(&name, &value),
            Self::Http2(_) | Self::Foreign(_) => {
                headers.append(name, value);
            }
        }
    }

    /// Sends an interim answer.
    pub(crate) fn interim(&self, status: StatusCode, headers: &HeaderMap) {
        match self {
            Self::Http1(control) => {
                control.interim(status, headers);
            }
            Self::Http2(line) => line.interim(status, headers),
            Self::Foreign(_) => {}
        }
    }

    /// The client's side of an upgrade that may come.
    pub(crate) fn upgrade(&self) -> Option<ClientUpgrade> {
        match self {
            Self::Http1(control) => Some(ClientUpgrade::Http1(control.upgrading())),
            Self::Http2(line) => line.tunnel().map(Box::new).map(ClientUpgrade::Http2),
            Self::Foreign(line) => line.clone().map(ClientUpgrade::Foreign),
        }
    }
}
