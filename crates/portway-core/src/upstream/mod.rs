//! A service's compiled endpoints: choosing one, a connection to it, sending, sending again where
//! that is safe.
//!
//! [`Upstream`] is shared by all cores and carried over by a reload that does not change its
//! service. A [`Lane`] is one core's way to it: the idle connections, which no other core touches.
//! What this room never does: read a configuration, match a request, write an answer.

mod connect;
mod dial;
mod endpoint;
mod lane;
mod own;
mod send;

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use portway_config::{
    ForwardPath, HostPolicy, Pool, Service, Socket, UpstreamHttp2,
    balance::{self, Balancers, stable_hash},
    value::Name,
};
use portway_http1::limits::HeadLimits;
use portway_plugin::Result;

use crate::{
    balance::{Ask, Member, Pick, Picker},
    connect::Connect,
    host::Guard,
    proxy_protocol::{self, Addresses, Transport},
    resolve::Resolver,
    tls,
};

pub(crate) use dial::{Dialled, Held, Reached};
use endpoint::Reach;
pub(crate) use endpoint::{Address, Endpoint};
pub(crate) use lane::Lane;
use own::Dialler;
pub(crate) use send::{Call, MAX_ENDPOINTS, Sent, Tries};

/// A service, ready to be called. Its `service` decides whether a reload carries it over.
#[derive(Debug)]
pub(crate) struct Upstream {
    service: Service,
    pub(crate) endpoints: Box<[Endpoint]>,
    members: Box<[Member]>,
    picker: Picker,
    /// For endpoints that are spoken to over TLS.
    tls: Option<tls::Client>,
}

/// Who has a say in where connections lead.
#[derive(Clone, Copy)]
struct Who<'a> {
    guard: Option<&'a Arc<Guard>>,
    connect: Option<&'a Arc<dyn Connect>>,
}

impl Upstream {
    /// Compiles a service. Names among its endpoints are watched from now on. What is known of
    /// the endpoints of the `previous` revision's is known of the same ones here. The program may
    /// have `brought` balancers and somebody who dials.
    pub(crate) fn new(
        service: &Service,
        tls: Option<tls::Client>,
        resolver: &Resolver,
        brought: (&Balancers, Option<&Arc<dyn Connect>>),
        previous: Option<&Self>,
    ) -> Arc<Self> {
        let (balancers, connect) = brought;
        let who = Who { guard: None, connect };
        Self::compiled(service, tls, resolver, who, |members| match previous {
            Some(previous) if previous.chooses_as(service, members) => previous.picker.clone(),
            _ => {
                let before = previous.map(|previous| &previous.picker);
                Picker::new(&service.balance, members, balancers, before)
            }
        })
    }

    /// The same for the gateway's own requests, with a say in which addresses are asked.
    pub(crate) fn guarded(
        service: &Service,
        tls: Option<tls::Client>,
        resolver: &Resolver,
        guard: &Arc<Guard>,
    ) -> Arc<Self> {
        let picker =
            |members: &[_]| Picker::new(&service.balance, members, &Balancers::default(), None);
        Self::compiled(service, tls, resolver, Who { guard: Some(guard), connect: None }, picker)
    }

    fn compiled(
        service: &Service,
        tls: Option<tls::Client>,
        resolver: &Resolver,
        who: Who<'_>,
        picker: impl FnOnce(&[Member]) -> Picker,
    ) -> Arc<Self> {
        let service = bare(service);
        let endpoints: Box<[Endpoint]> = service
            .endpoints()
            .map(|(url, _)| {
                let reach = match who.guard {
                    Some(guard) => Reach::Guarded(Arc::clone(guard)),
                    None if service.deny_private_addresses => Reach::Public,
                    None => Reach::All,
                };
                // A connection that names one client is for that client alone.
                let http2 = match service.proxy_protocol {
                    Some(_) => UpstreamHttp2::Never,
                    None => service.http2,
                };
                let dialler = who.connect.and_then(|connect| Dialler::new(connect, &service, url));
                Endpoint::new(url, reach, http2, tls.as_ref(), resolver, dialler)
            })
            .collect();
        let weights = service.endpoints().map(|(_, weight)| weight.get());
        let members: Box<[_]> = endpoints.iter().zip(weights).map(Member::of).collect();
        let picker = picker(&members);
        Arc::new(Self { service, endpoints, members, picker, tls })
    }

    /// Whether requests choose among these endpoints as before.
    fn chooses_as(&self, service: &Service, members: &[Member]) -> bool {
        self.service.balance == service.balance && *self.members == *members
    }

    /// Whether a service of this specification can go on with this upstream.
    pub(crate) fn serves(&self, service: &Service) -> bool {
        self.service == bare(service)
    }

    /// An endpoint for a request, other than those tried already.
    ///
    /// # Errors
    /// A balancer of one's own has failed.
    pub(crate) fn pick(&self, tried: &[usize], ask: Ask<'_>) -> Result<Option<Pick>> {
        self.picker.pick(tried, ask)
    }

    pub(crate) fn name(&self) -> &Name {
        &self.service.meta.name
    }

    /// What metrics and logs call the service.
    pub(crate) fn label(&self) -> &str {
        self.service.meta.label()
    }

    pub(crate) fn namespace(&self) -> &Name {
        &self.service.meta.namespace
    }

    pub(crate) fn host_policy(&self) -> &HostPolicy {
        &self.service.host
    }

    pub(crate) fn forwards_raw_path(&self) -> bool {
        self.service.forward_path == ForwardPath::Raw
    }

    pub(crate) fn drops_query(&self) -> bool {
        self.service.drop_query
    }

    /// Whether calls of gRPC-Web become calls of gRPC.
    pub(crate) fn bridges_grpc_web(&self) -> bool {
        self.service.grpc_web
    }

    /// Whether an upgrade to `protocol` is passed on.
    pub(crate) fn upgrades_to(&self, protocol: &[u8]) -> bool {
        self.service.upgrades.iter().any(|allowed| allowed.is(protocol))
    }

    /// The PROXY protocol header for a connection that a client made to `local`, where the service
    /// wants one.
    pub(crate) fn introduction(&self, client: SocketAddr, local: SocketAddr) -> Option<Bytes> {
        let version = self.service.proxy_protocol?;
        let addresses = Addresses::new(client, local, Transport::Stream);
        Some(proxy_protocol::encode(version, Some(&addresses)))
    }

    /// Whether each connection begins with a PROXY protocol header, and is for one client alone.
    pub(crate) fn introduces(&self) -> bool {
        self.service.proxy_protocol.is_some()
    }

    /// How many idle connections to an endpoint a core keeps. One that names a client is for that
    /// client alone.
    fn max_idle(&self) -> usize {
        if self.introduces() { 0 } else { self.pool().max_idle as usize }
    }

    /// What is asked of the kernel for its connections.
    fn socket(&self) -> &Socket {
        &self.service.socket
    }

    fn pool(&self) -> &Pool {
        &self.service.pool
    }

    /// Bounds on the heads of its answers.
    fn head_limits(&self) -> HeadLimits {
        let limit = self.service.max_response_head.limit();
        let field_bytes = limit.and_then(|bytes| usize::try_from(bytes).ok());
        HeadLimits { field_bytes: field_bytes.unwrap_or(usize::MAX), ..HeadLimits::default() }
    }
}

impl Member {
    /// An endpoint and its weight. Its place among the others does not matter, nor what else the
    /// service says.
    fn of((endpoint, weight): (&Endpoint, u16)) -> Self {
        let id = stable_hash(endpoint.identity().bytes());
        Self { id, endpoint: balance::Endpoint::new(endpoint.label.clone(), weight) }
    }
}

/// A service without what is no business of its connections: its routes and its plugins.
fn bare(service: &Service) -> Service {
    let mut bare = service.clone();
    bare.routes.clear();
    bare.plugins.clear();
    bare.endpoints.iter_mut().for_each(|endpoint| endpoint.plugins.clear());
    bare
}
