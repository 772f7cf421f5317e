//! The plugin itself.

use std::future::Future;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{AdminRoutes, Claim, Host, Next, Problem, Request, Response, Result};

/// Code that stands around the way of a request to its target and of the answer back.
///
/// There is one instance for each place in the configuration that makes one, shared by all cores.
/// Its life: [`create`](Self::create) for every check of a configuration, [`start`](Self::start)
/// once when the configuration is taken over, [`call`](Self::call) for each request, drop after
/// the last request when the configuration no longer has it or has another spec for it.
pub trait Plugin: Send + Sync + Sized + 'static {
    /// What it is called in configurations, metrics and logs: kebab-case, such as `key-auth`.
    const NAME: &'static str;

    /// A whole configuration with it, for people. Empty where there is none.
    const EXAMPLE: &'static str = "";

    /// What a configuration says about it. The comments on its fields are its reference, in the
    /// JSON Schema and in the generated pages.
    type Spec: DeserializeOwned + JsonSchema;

    /// Makes an instance. Pure: a check calls it for configurations that are never served, so it
    /// opens, asks and starts nothing.
    ///
    /// # Errors
    /// What is wrong with the spec, beyond what its schema says. A path of the problem is one in
    /// the spec.
    fn create(spec: Self::Spec) -> Result<Self, Problem>;

    /// What it needs for itself on the way of a request, so that a check can refuse what
    /// contradicts it.
    fn claim(&self) -> Claim {
        Claim::Nothing
    }

    /// What the instance answers in the admin API, below its own path there. Nothing, unless it
    /// says so: `Some(self)` where the type has [`AdminRoutes`].
    fn admin_routes(&self) -> Option<&dyn AdminRoutes> {
        None
    }

    /// Takes up what the instance needs while it is part of the configuration: first data,
    /// background work. Runs off the data plane. Requests wait for it for two seconds at most:
    /// [`call`](Self::call) must do right without what is not here yet.
    fn start(&self, host: &Host) -> impl Future<Output = ()> + Send {
        let _ = host;
        async {}
    }

    /// Serves one request: by [`next`](Next::run), around it, or instead of it. Ends with the head
    /// of the answer: what must live to its last byte is given to
    /// [`keep`](crate::ResponseExt::keep). A client that leaves drops the future.
    ///
    /// # Errors
    /// What becomes the answer to the client, rendered in the form it accepts. Errors of `next`
    /// pass through here too; a plugin may add header fields to them.
    fn call(
        &self,
        request: Request,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Response>> + Send;
}
