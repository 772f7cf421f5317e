//! A listener as a request sees it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use portway_config::{AmbiguousPaths, ForwardedHeaders, HeaderCase, Listener, value::Cidr};
use portway_http1::limits::HeadLimits;

use super::Life;
use crate::driver::ServerOptions;

/// What a head may have at most where its limits are switched off.
const UNLIMITED_HEAD: usize = 1024 * 1024;

/// Which socket a connection came in by. It stays the same while reloads change what the
/// listener does, so that open connections find its current settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListenerId(pub(crate) u32);

/// The compiled settings of a listener.
#[derive(Clone, Debug)]
pub(crate) struct ListenerPlan {
    pub(crate) id: ListenerId,
    pub(crate) name: Box<str>,
    pub(crate) life: Arc<Life>,
    trusted: Box<[Cidr]>,
    pub(crate) x_forwarded: bool,
    pub(crate) forwarded: bool,
    pub(crate) allow_ambiguous_paths: bool,
    pub(crate) max_header_bytes: Option<usize>,
    pub(crate) max_headers: usize,
    pub(crate) max_uri: Option<usize>,
    pub(crate) max_body: Option<u64>,
    pub(crate) max_connections: Option<u32>,
    pub(crate) max_requests: Option<u32>,
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) write_timeout: Option<Duration>,
    pub(crate) server: ServerOptions,
}

impl ListenerPlan {
    pub(super) fn new(listener: &Listener, id: ListenerId, life: Arc<Life>) -> Self {
        let limits = &listener.limits;
        let bytes = |limit: Option<u64>| limit.and_then(|limit| usize::try_from(limit).ok());
        let some = |limit: u32| (limit > 0).then_some(limit);
        let max_header_bytes = bytes(limits.header_bytes.limit());
        Self {
            id,
            name: listener.meta.label().into(),
            life,
            trusted: listener.trusted_proxies.clone().into(),
            x_forwarded: listener.forwarded_headers != ForwardedHeaders::Forwarded,
            forwarded: listener.forwarded_headers != ForwardedHeaders::XForwarded,
            allow_ambiguous_paths: listener.ambiguous_paths == AmbiguousPaths::Allow,
            max_header_bytes,
            max_headers: limits.headers.into(),
            max_uri: bytes(limits.uri.limit()),
            max_body: limits.body.limit(),
            max_connections: some(limits.connections),
            max_requests: some(limits.requests_per_connection),
            read_timeout: listener.read_timeout.limit(),
            write_timeout: listener.write_timeout.limit(),
            server: ServerOptions {
                header_read: limits.header_read.limit(),
                idle: limits.idle.limit(),
                min_rate: limits
                    .body_rate
                    .limit()
                    .map(|rate| u32::try_from(rate).unwrap_or(u32::MAX)),
                keep_spelling: listener.header_case == HeaderCase::Keep,
                http2: listener.http2.enabled,
                max_streams: listener.http2.max_streams,
                ping: listener.http2.ping_interval.limit(),
                head: HeadLimits {
                    target: bytes(limits.uri.limit()).unwrap_or(UNLIMITED_HEAD),
                    fields: limits.headers.into(),
                    field_bytes: max_header_bytes.unwrap_or(UNLIMITED_HEAD),
                },
            },
        }
    }

    /// Whether the headers a peer sends about others are believed.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|block| block.contains(peer))
    }
}
