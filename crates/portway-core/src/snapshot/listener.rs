//! A listener as a request sees it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use portway_config::{
    AmbiguousPaths, ForwardedHeaders, HeaderCase, Listener, ListenerProtocol, value::Cidr,
};
use portway_http1::limits::HeadLimits;

use super::Life;
use crate::{
    driver::{SPEAKS_HTTP2, ServerOptions},
    protocol::Spoken,
    route::HostSet,
    tls::TlsPlan,
};

/// What a head may have at most where its limits are switched off.
const UNLIMITED_HEAD: usize = 1024 * 1024;

/// Which socket a connection came in by. It stays the same while reloads change what the
/// listener does, so that open connections find its current settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListenerId(pub(crate) u32);

impl ListenerId {
    /// The first listener, whichever that is in the revision a request sees: for whoever hosts the
    /// gateway and comes by no socket. Sockets are counted from 1.
    pub(crate) const FIRST: Self = Self(0);
}

/// The compiled settings of a listener.
#[derive(Clone, Debug)]
pub(crate) struct ListenerPlan {
    pub(crate) id: ListenerId,
    /// What metrics and logs call it.
    pub(crate) name: Box<str>,
    /// What routes call it.
    pub(crate) own_name: Box<str>,
    pub(crate) life: Arc<Life>,
    /// Listeners of one class have the same plugins: class 0 has none of its own.
    pub(crate) class: usize,
    /// It was removed, and with it plugins that requests had to pass.
    pub(crate) unguarded: bool,
    pub(crate) protocol: ListenerProtocol,
    pub(crate) tls: Option<Arc<TlsPlan>>,
    /// The hosts that may be asked for; `None` is all.
    pub(crate) allowed: Option<Arc<HostSet>>,
    /// Whether a host that is not allowed ends the connection.
    pub(crate) strict: bool,
    pub(crate) redirect_https: Option<Arc<RedirectPlan>>,
    /// Who begins with a PROXY protocol header.
    proxies: Box<[Cidr]>,
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
    /// What else of the program is spoken here.
    pub(crate) protocols: Box<[Spoken]>,
    /// Whether what is written is sent at once.
    pub(crate) nodelay: bool,
    pub(crate) server: ServerOptions,
}

/// Where clients that come without TLS are sent.
#[derive(Debug)]
pub(crate) struct RedirectPlan {
    /// `None` is all hosts.
    hosts: Option<HostSet>,
    /// As it stands behind the host; empty for 443.
    pub(crate) port: Box<str>,
}

impl RedirectPlan {
    /// Whether requests for `host` are sent elsewhere.
    pub(crate) fn takes(&self, host: &str) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(host))
    }
}

impl ListenerPlan {
    /// The listener once the configuration no longer has it. The revision has no chains with the
    /// plugins it had: whoever still asks must not get around them.
    pub(super) fn left(self) -> Self {
        Self { unguarded: self.unguarded || self.class != 0, class: 0, ..self }
    }

    pub(super) fn new(
        listener: &Listener,
        id: ListenerId,
        life: Arc<Life>,
        tls: Option<Arc<TlsPlan>>,
        class: usize,
    ) -> Self {
        let limits = &listener.limits;
        let bytes = |limit: Option<u64>| limit.and_then(|limit| usize::try_from(limit).ok());
        let some = |limit: u32| (limit > 0).then_some(limit);
        let max_header_bytes = bytes(limits.header_bytes.limit());
        Self {
            id,
            name: listener.meta.label().into(),
            own_name: listener.meta.name.as_str().into(),
            life,
            class,
            unguarded: false,
            protocol: listener.protocol,
            tls,
            allowed: (!listener.allowed_domains.is_empty())
                .then(|| Arc::new(HostSet::new(&listener.allowed_domains))),
            strict: listener.strict,
            redirect_https: listener.redirect_https.as_ref().map(|redirect| {
                Arc::new(RedirectPlan {
                    hosts: (!redirect.hosts.is_empty()).then(|| HostSet::new(&redirect.hosts)),
                    port: match redirect.port {
                        None | Some(443) => "".into(),
                        Some(port) => format!(":{port}").into(),
                    },
                })
            }),
            proxies: listener.proxy_protocol.clone().into(),
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
            protocols: Box::default(),
            nodelay: listener.socket.nodelay,
            server: ServerOptions {
                header_read: limits.header_read.limit(),
                idle: limits.idle.limit(),
                min_rate: limits
                    .body_rate
                    .limit()
                    .map(|rate| u32::try_from(rate).unwrap_or(u32::MAX)),
                keep_spelling: listener.header_case == HeaderCase::Keep,
                http2: listener.http2.enabled && SPEAKS_HTTP2,
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

    /// The same, where protocols of the program are spoken as well.
    pub(super) fn speaking(self, protocols: Box<[Spoken]>) -> Self {
        Self { protocols, ..self }
    }

    /// Whether anything comes before HTTP, or may end it early.
    pub(crate) fn is_greeted(&self) -> bool {
        self.tls.is_some()
            || !self.proxies.is_empty()
            || self.strict
            || !self.protocol.is_http()
            || !self.protocols.is_empty()
    }

    /// Whether a peer begins with a PROXY protocol header.
    pub(crate) fn awaits_proxy(&self, peer: IpAddr) -> bool {
        self.proxies.iter().any(|block| block.contains(peer))
    }

    /// Whether it matters which host a request asks for, before a route is looked for.
    pub(crate) fn judges_hosts(&self) -> bool {
        self.allowed.is_some() || self.redirect_https.is_some() || self.tls.is_some()
    }

    /// Whether requests for `host` are served at all.
    pub(crate) fn allows(&self, host: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(host))
    }

    /// Whether the headers a peer sends about others are believed.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|block| block.contains(peer))
    }
}

#[cfg(test)]
mod tests {
    use portway_config::value::BindAddr;

    use super::*;

    /// Its connections may bring a request after the revision that took its plugins away.
    #[test]
    fn nobody_gets_around_the_plugins_of_a_listener_that_was_removed() {
        let spec = Listener::new("web".parse().expect("a name"), BindAddr::localhost(80));
        let of_class = |class| {
            ListenerPlan::new(&spec, ListenerId(1), Arc::new(Life::new()), None, class).left()
        };
        assert!(!of_class(0).unguarded, "it had none of its own");
        let left = of_class(2);
        assert_eq!((left.class, left.unguarded), (0, true));
        assert!(left.left().unguarded, "also after the next revision");
    }
}
