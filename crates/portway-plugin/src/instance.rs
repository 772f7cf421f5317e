//! A plugin whose type nobody has to know any more.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use crate::{
    AdminRoutes, BoxFuture, Claim, Error, Host, Next, Plugin, Request, Response, Result,
    panics::caught,
};

/// One instance of some plugin. Clones are the same instance.
#[derive(Clone)]
pub struct Instance {
    name: &'static str,
    plugin: Arc<dyn Erased>,
}

impl Instance {
    /// The instance as one of any plugin.
    pub fn of<P: Plugin>(plugin: P) -> Self {
        Self { name: P::NAME, plugin: Arc::new(plugin) }
    }

    /// A plugin that is nothing but a function. It has no spec and starts nothing.
    ///
    /// ```
    /// use portway_plugin::Instance;
    ///
    /// Instance::hook("stamp", |request, next| Box::pin(async move {
    ///     let mut response = next.run(request).await?;
    ///     response.headers_mut().insert("x-stamp", http::HeaderValue::from_static("seen"));
    ///     Ok(response)
    /// }));
    /// ```
    pub fn hook<F>(name: &'static str, call: F) -> Self
    where
        F: for<'a> Fn(Request, Next<'a>) -> BoxFuture<'a, Result<Response>>,
        F: Send + Sync + 'static,
    {
        Self { name, plugin: Arc::new(Hook(call)) }
    }

    /// The plugin's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// See [`Plugin::claim`].
    #[must_use]
    pub fn claim(&self) -> Claim {
        self.plugin.claim()
    }

    /// See [`Plugin::admin_routes`].
    #[must_use]
    pub fn admin_routes(&self) -> Option<&dyn AdminRoutes> {
        self.plugin.admin_routes()
    }

    /// See [`Plugin::start`].
    pub fn start<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, ()> {
        self.plugin.start(host)
    }

    /// See [`Plugin::call`]. A panic is this request's error, and the chain hears how it ended.
    pub fn call<'a>(&'a self, request: Request, next: Next<'a>) -> BoxFuture<'a, Result<Response>> {
        self.plugin.call(request, next)
    }

    /// Whether both are the same instance.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.plugin, &other.plugin)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instance").field(&self.name).finish()
    }
}

/// A plugin behind a pointer. The one allocation of a call is made here.
trait Erased: Send + Sync {
    fn claim(&self) -> Claim;

    fn admin_routes(&self) -> Option<&dyn AdminRoutes>;

    fn start<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, ()>;

    fn call<'a>(&'a self, request: Request, next: Next<'a>) -> BoxFuture<'a, Result<Response>>;
}

impl<P: Plugin> Erased for P {
    fn claim(&self) -> Claim {
        Plugin::claim(self)
    }

    fn admin_routes(&self) -> Option<&dyn AdminRoutes> {
        Plugin::admin_routes(self)
    }

    fn start<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, ()> {
        Box::pin(Plugin::start(self, host))
    }

    fn call<'a>(&'a self, request: Request, next: Next<'a>) -> BoxFuture<'a, Result<Response>> {
        watched(|| Plugin::call(self, request, next), next)
    }
}

struct Hook<F>(F);

impl<F> Erased for Hook<F>
where
    F: for<'a> Fn(Request, Next<'a>) -> BoxFuture<'a, Result<Response>> + Send + Sync,
{
    fn claim(&self) -> Claim {
        Claim::Nothing
    }

    fn admin_routes(&self) -> Option<&dyn AdminRoutes> {
        None
    }

    fn start<'a>(&'a self, _: &'a Host) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn call<'a>(&'a self, request: Request, next: Next<'a>) -> BoxFuture<'a, Result<Response>> {
        watched(|| (self.0)(request, next), next)
    }
}

pin_project_lite::pin_project! {
    /// A call whose panic is one request's error, and whose end is told.
    struct Watched<'a, F> {
        #[pin]
        work: F,
        next: Next<'a>,
    }
}

/// The future is made after its place on the heap, so that it need not be moved there.
fn watched<'a, F>(work: impl FnOnce() -> F, next: Next<'a>) -> BoxFuture<'a, Result<Response>>
where
    F: Future<Output = Result<Response>> + Send + 'a,
{
    let place = Box::<Watched<'a, F>>::new_uninit();
    let watched = Box::write(place, Watched { work: work(), next });
    Box::into_pin(watched)
}

impl<F: Future<Output = Result<Response>>> Future for Watched<'_, F> {
    type Output = Result<Response>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response>> {
        let this = self.project();
        let work = this.work;
        // What a panic leaves behind in the future is dropped with the request. What it leaves
        // behind in the plugin is the plugin's: its locks say that they are poisoned.
        let polled = caught(|| work.poll(cx));
        let (result, panicked) = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => (result, false),
            Err(cause) => (Err(panicked(cause)), true),
        };
        this.next.chain().ended(this.next.plugin(), &result, panicked);
        Poll::Ready(result)
    }
}

fn panicked(cause: String) -> Error {
    Error::gateway("plugin_failed", "a plugin of the gateway failed").because(cause)
}
