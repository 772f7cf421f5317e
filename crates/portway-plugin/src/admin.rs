//! What an instance answers in the admin API.

use crate::{BoxFuture, Host, Request, Response, Result};

/// Requests of the admin API for one instance of a plugin: `/api/v1/plugins/<name>/extension` and
/// everything below it, for the shared instance of that name. They come and go with the instance.
///
/// Whoever asks was let in by the API, may read the instance for `GET` and `HEAD`, and may change
/// it for any other method; what is asked for is in the audit log as anything else is.
///
/// ```
/// use portway_plugin::{
///     AdminRoutes, BoxFuture, Error, Host, Next, Plugin, Problem, Request, Response, Result,
/// };
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// /// Counts requests, and tells how many there were.
/// #[derive(Default)]
/// struct Counted(AtomicU64);
///
/// impl Plugin for Counted {
///     const NAME: &'static str = "counted";
///     type Spec = serde_json::Map<String, serde_json::Value>;
///
///     fn create(_: Self::Spec) -> Result<Self, Problem> {
///         Ok(Self::default())
///     }
///
///     fn admin_routes(&self) -> Option<&dyn AdminRoutes> {
///         Some(self)
///     }
///
///     async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
///         self.0.fetch_add(1, Relaxed);
///         next.run(request).await
///     }
/// }
///
/// impl AdminRoutes for Counted {
///     fn answer<'a>(&'a self, request: Request, _: &'a Host) -> BoxFuture<'a, Result<Response>> {
///         Box::pin(async move {
///             match (request.method().as_str(), request.uri().path()) {
///                 ("GET", "/") => Ok(Response::new(self.0.load(Relaxed).to_string().into())),
///                 ("DELETE", "/") => {
///                     self.0.store(0, Relaxed);
///                     Ok(Response::new("0".into()))
///                 }
///                 _ => Err(Error::client(
///                     http::StatusCode::NOT_FOUND, "not_found", "there is / to GET and DELETE",
///                 )),
///             }
///         })
///     }
/// }
/// ```
pub trait AdminRoutes: Send + Sync {
    /// Answers one. The path is what follows `extension`, `/` at least; the query is that of the
    /// request, with its `namespace`. The body comes as it is sent, and is bounded. It runs off the
    /// data plane, to its end also when whoever asked has left.
    ///
    /// # Errors
    /// What becomes problem details (RFC 9457).
    fn answer<'a>(&'a self, request: Request, host: &'a Host) -> BoxFuture<'a, Result<Response>>;
}
