//! The gateway as an axum router: what axum knows of a connection becomes what the gateway asks for.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use portway_core::Upgradable;
use portway_plugin::Response;
use tower_service::Service;

use crate::{Gateway, GatewayService, Peer, Problems};

impl Gateway {
    /// The gateway as an axum router whose fallback it is: served by `axum::serve`, merged with
    /// routes of one's own, nested under a prefix, which axum takes off. It opens no listener, and
    /// ends with the last copy of the router.
    ///
    /// The client's address is that of `into_make_service_with_connect_info::<SocketAddr>()`, unless
    /// a layer has put a [`Peer`] into the extensions of the request. Without either it is unknown,
    /// and rules about addresses fail closed. Upgrades such as WebSocket pass.
    ///
    /// ```no_run
    /// use std::net::SocketAddr;
    /// use axum::{Router, routing::get};
    /// use portway::Gateway;
    ///
    /// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    /// let gateway = Gateway::builder().file("gateway.yaml").build()?;
    /// let application = Router::new()
    ///     .route("/hello", get(async || "hello"))
    ///     .merge(gateway.into_router().await?);
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// let service = application.into_make_service_with_connect_info::<SocketAddr>();
    /// axum::serve(listener, service).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// All that is wrong at the start.
    pub async fn into_router(self) -> Result<Router, Problems> {
        Ok(Router::new().fallback_service(Hosted(self.into_service().await?)))
    }
}

/// The gateway behind axum.
#[derive(Clone)]
struct Hosted(GatewayService);

impl Service<Request> for Hosted {
    type Response = Response;
    type Error = Infallible;
    type Future = <GatewayService as Service<Request>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let extensions = request.extensions_mut();
        let connected = extensions.get::<ConnectInfo<SocketAddr>>().map(|connected| connected.0);
        if let Some(client) = connected.filter(|_| extensions.get::<Peer>().is_none()) {
            extensions.insert(Peer::new(client));
        }
        if let Some(upgrade) = extensions.remove::<OnUpgrade>() {
            let opening = async { upgrade.await.map(TokioIo::new).map_err(io::Error::other) };
            extensions.insert(Upgradable::new(opening));
        }
        self.0.call(request)
    }
}
