//! A gateway inside another server.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use portway_plugin::Response;
use tokio::sync::Notify;
use tower_service::Service;

/// A gateway as a `tower::Service`. It never fails: every error is an answer. Its copies are one
/// gateway, which ends with the last of them.
#[derive(Clone)]
pub struct GatewayService {
    inner: portway_core::Gateway,
    serving: Arc<Serving>,
}

impl GatewayService {
    pub(super) fn new(inner: portway_core::Gateway, serving: Serving) -> Self {
        Self { inner, serving: Arc::new(serving) }
    }
}

/// Ends a gateway when it is dropped.
pub(super) struct Serving(Arc<Notify>);

impl Serving {
    /// `over` is what it is told by.
    pub(super) fn until(over: Arc<Notify>) -> Self {
        Self(over)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl<B> Service<http::Request<B>> for GatewayService
where
    portway_core::Gateway: Service<http::Request<B>, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = <portway_core::Gateway as Service<http::Request<B>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        self.inner.call(request)
    }
}

impl fmt::Debug for GatewayService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let copies = Arc::strong_count(&self.serving);
        f.debug_struct("GatewayService").field("copies", &copies).finish_non_exhaustive()
    }
}
