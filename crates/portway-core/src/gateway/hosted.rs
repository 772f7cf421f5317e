//! Requests of the admin API: answered by a service that the process brings, on the threads of
//! control work.
//!
//! The connection is a listener's like any other, with its TLS, limits and drain. What it asks for
//! meets no route and no plugin.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use http::{HeaderValue, Request};
use portway_plugin::{Body, ClientCertificate, Error, Response, Result};
use tokio::runtime::Handle;

use super::{Answered, admit};
use crate::{
    exchange::{Exchange, UploadLimits, limited, too_large},
    explain::{Admitted, DEBUG, Seen, Watched},
    forward::{Peer, requested_host},
    snapshot::ListenerPlan,
};

/// A service that answers the requests of the admin API.
pub trait AdminService: Send + Sync + 'static {
    /// Answers one. The other end of its connection is an [`AdminPeer`] in its extensions.
    fn answer(&self, request: Request<Body>) -> Pin<Box<dyn Future<Output = Response> + Send>>;

    /// Whether there may be requests with debug tokens. Asked for every request: where there are
    /// none, it looks at a flag and does nothing else.
    fn watches(&self) -> bool {
        false
    }

    /// What a debug token is good for, if it is good.
    fn admits(&self, token: &[u8]) -> Option<Admitted> {
        let _ = token;
        None
    }

    /// The answer to a request whose token was good says this: what became of it will be told.
    fn expects(&self, id: &HeaderValue) {
        let _ = id;
    }

    /// Takes note of what became of a request whose token was good. Called where it may take its
    /// time.
    fn saw(&self, seen: Seen) {
        drop(seen);
    }
}

/// The other end of a connection to the admin API.
#[derive(Clone, Debug)]
pub struct AdminPeer(Arc<Peer>);

impl AdminPeer {
    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Whether the connection is under TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.tls.is_some()
    }

    /// The certificate it has shown, which was verified.
    #[must_use]
    pub fn certificate(&self) -> Option<ClientCertificate<'_>> {
        self.0.certificate().map(|certificate| certificate.told())
    }
}

/// The service, and where it does its work.
#[derive(Clone)]
pub(crate) struct Hosted {
    pub(crate) service: Arc<dyn AdminService>,
    pub(crate) runtime: Handle,
}

/// Watches a request that carries a good debug token, which goes no further.
pub(super) fn watch(exchange: &mut Exchange, request: &mut Request<Body>) {
    let hosted = exchange.shard.hosted().filter(|hosted| hosted.service.watches());
    let Some((hosted, token)) = hosted.zip(request.headers().get(&DEBUG)) else { return };
    let Some(admitted) = hosted.service.admits(token.as_bytes()) else { return };
    request.headers_mut().remove(&DEBUG);
    exchange.watched = Some(Arc::new(Watched::new(admitted, request.headers().clone())));
}

/// Answers a request that came by the listener of the admin API.
pub(super) async fn answer(
    exchange: &mut Exchange,
    request: &mut Request<Body>,
    listener: &ListenerPlan,
) -> Result<Answered> {
    let Some(Hosted { service, runtime }) = exchange.shard.hosted() else {
        return Err(admit::no_route());
    };
    exchange.host = requested_host(request.headers(), request.uri(), request.version())?;
    let size = http_body::Body::size_hint(request.body()).lower();
    if let Some(limit) = listener.max_body.filter(|limit| size > *limit) {
        return Err(too_large(limit));
    }
    let deadline = listener.read_timeout.map(|limit| exchange.started + limit);
    let limits = UploadLimits { bytes: listener.max_body, deadline, idle: listener.server.idle };
    let (body, count) = limited(std::mem::take(request.body_mut()), limits);
    exchange.bytes_in = count;
    let mut asked = std::mem::take(request);
    *asked.body_mut() = body;
    asked.extensions_mut().insert(AdminPeer(Arc::clone(&exchange.peer)));
    let service = Arc::clone(service);
    // What was begun is done to its end, also when the client leaves: a change that is written is
    // served as well.
    let answered = runtime.spawn(async move { service.answer(asked).await }).await;
    match answered {
        Ok(response) => Ok(response.into()),
        Err(error) => Err(Error::gateway("internal", "the admin API failed").because(error)),
    }
}
