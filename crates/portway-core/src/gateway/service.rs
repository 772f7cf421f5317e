//! The data plane as a tower service, for any runtime and any server.

use std::{
    convert::Infallible,
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use portway_plugin::{Body, Error, Response};

use super::{Arrival, serve};
use crate::{
    driver::{ClientLine, Upgradable},
    forward::Peer,
    server::Shard,
    snapshot::ListenerId,
};

/// The other end of a connection, to be put into a request's extensions by whoever hosts a
/// [`Gateway`]. Without it the gateway takes the client to be `0.0.0.0`, whom it trusts no more
/// than anybody, and what it asks to have come in the clear.
#[derive(Clone, Copy, Debug)]
pub struct HostedPeer {
    address: SocketAddr,
    is_secure: bool,
}

impl HostedPeer {
    /// A client at this address, whose connection is not encrypted.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, is_secure: false }
    }

    /// The same under TLS that the host has ended: the scheme is `https`, in `X-Forwarded-Proto`,
    /// in the access log and for plugins.
    #[must_use]
    pub const fn secure(self) -> Self {
        Self { is_secure: true, ..self }
    }
}

/// The data plane as a `tower::Service`: cores are the best way to host it, not the only one. It
/// never fails: every error is an answer. Clones share one shard.
#[derive(Clone)]
pub struct Gateway {
    shard: Arc<Shard>,
}

impl Gateway {
    pub(crate) fn new(shard: Arc<Shard>) -> Self {
        Self { shard }
    }
}

impl<B> tower_service::Service<Request<B>> for Gateway
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let nobody = HostedPeer::new(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
        let peer = request.extensions().get::<HostedPeer>().copied().unwrap_or(nobody);
        // What asks for an upgrade in HTTP/2 has a stream of a connection, and no connection.
        let upgrade = match request.version() {
            Version::HTTP_11 => request.extensions_mut().remove::<Upgradable>(),
            _ => None,
        };
        let arrival = Arrival {
            peer: Arc::new(Peer::hosted(peer.address, peer.is_secure)),
            listener: ListenerId::FIRST,
            line: ClientLine::Foreign(upgrade),
        };
        let shard = Arc::clone(&self.shard);
        let request = request.map(|body| Body::stream(Foreign(Box::pin(body))));
        Box::pin(async move { Ok(serve(shard, arrival, request).await) })
    }
}

/// A body of another server's, with its errors as ours.
struct Foreign<B>(Pin<Box<B>>);

impl<B> http_body::Body for Foreign<B>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        self.0.as_mut().poll_frame(cx).map_err(|error| {
            Error::client(
                StatusCode::BAD_REQUEST,
                "bad_request_body",
                "the request body is malformed",
            )
            .because(error)
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}
