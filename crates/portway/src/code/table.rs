//! Tables of routes: what `#[portway::service]` writes, and anybody can.

use portway_plugin::{BoxFuture, Response};

use super::{Call, Halt};

/// The code of one route: it looks at a request, [forwards](Call::forward) it or not, and gives
/// back the answer.
pub type CodeFn = for<'a> fn(&'a mut Call<'_>) -> BoxFuture<'a, Result<Response, Halt>>;

/// The routes of a service.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The service's name. Its endpoints are given to the builder, or another source has them.
    pub name: &'static str,
    /// A path put before the paths of the routes, and taken off before requests are forwarded.
    pub prefix: &'static str,
    /// The policy of the routes, by its name in the builder.
    pub policy: Option<&'static str>,
    /// The hosts of the routes. Empty for all.
    pub hosts: &'static [&'static str],
    /// Shared plugins for all routes, by name.
    pub plugins: &'static [&'static str],
    /// The routes.
    pub routes: &'static [Route],
}

/// One route of a service.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Its name inside the service.
    pub name: &'static str,
    /// The methods. Empty for all. `GET` takes `HEAD` too.
    pub methods: &'static [&'static str],
    /// The path below the service's prefix, with placeholders: `/items/{id}`, `/files/{*rest}`.
    pub path: &'static str,
    /// The path that is forwarded in its place, with the placeholders of `path`. `None` takes the
    /// service's prefix off.
    pub to: Option<&'static str>,
    /// The policy, in place of the service's.
    pub policy: Option<&'static str>,
    /// How long the whole exchange may take: `5s`.
    pub timeout: Option<&'static str>,
    /// The longest request body: `1MiB`.
    pub body_limit: Option<&'static str>,
    /// The hosts, in place of the service's.
    pub hosts: &'static [&'static str],
    /// Shared plugins, by name. They stand around the code.
    pub plugins: &'static [&'static str],
    /// Whether the code answers every request itself, so that nothing is forwarded.
    pub answers: bool,
    /// The code. `None` streams requests to the service.
    pub code: Option<CodeFn>,
}

/// What the body of a request is, by the attribute of its route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Whatever it is.
    #[default]
    Raw,
    /// JSON.
    Json,
    /// A form: `application/x-www-form-urlencoded`, or the query of a `GET`.
    Form,
    /// `multipart/form-data`.
    Multipart,
}

impl Service {
    /// A service without routes, prefix or policy.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, prefix: "", policy: None, hosts: &[], plugins: &[], routes: &[] }
    }
}

impl Route {
    /// A route that streams its requests to the service.
    #[must_use]
    pub const fn new(
        name: &'static str,
        methods: &'static [&'static str],
        path: &'static str,
    ) -> Self {
        Self {
            name,
            methods,
            path,
            to: None,
            policy: None,
            timeout: None,
            body_limit: None,
            hosts: &[],
            plugins: &[],
            answers: false,
            code: None,
        }
    }
}
