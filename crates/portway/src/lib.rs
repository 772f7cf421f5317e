//! The gateway as a library: what the executable `portway` is made of.
//!
//! ```no_run
//! # async fn serve() -> Result<(), portway::Problems> {
//! // As the executable does: follow a file until SIGTERM.
//! portway::Gateway::builder().file("gateway.yaml").build()?.run_all().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Routes in Rust, with typed paths, queries and bodies, hooks and maps, are declared by attributes:
//! [`service`], [`get`] and its like, [`hook`], [`map`], [`after`]. The repository has a guide to
//! them, `docs/library/guide.md`.
//!
//! A program that makes its configuration itself starts a [`Server`] with it and changes it with
//! [`Server::apply`]; one that hosts the data plane on sockets of its own takes
//! [`Server::gateway`], which is a tower service.
//!
//! | module | what is in it |
//! |---|---|
//! | [`code`] | routes in Rust: what their code sees, and the tables that attributes write |
//! | [`observe`] | what happens to requests, for programs that want to hear of it |
//! | [`connect`] | connections that the program makes itself |
//! | [`protocol`] | protocols of the program's own, beside HTTP |
//! | [`build`] | resources in a line of Rust each |
//! | [`config`] | resources, loading and checking; pure |
//! | [`plugin`] | the contract for code that runs inside |
//! | [`plugins`] | the plugins that are there already |
//! | [`source`] | where configuration comes from |
//! | [`explain`] | what a configuration does, told to people |
//! | [`telemetry`] | logs and metrics |
//!
//! But for the builder and the code of routes there is little code here: this crate names what a
//! program may rely on.

#[cfg(feature = "admin")]
mod admin;
#[cfg(not(feature = "admin"))]
#[path = "no_admin.rs"]
mod admin;
pub mod build;
mod builder;
pub mod code;
mod gateway;
mod problems;
#[cfg(feature = "axum")]
mod router;
mod signals;
pub mod source;
mod startup;
mod traced;
mod usual;

pub use builder::Builder;
pub use code::{Halt, Head, HookResult, MapResult, RawBody, Scope};
pub use gateway::{Gateway, GatewayService, Handle};
/// The crates whose types the library's own are made of, in the versions it is made with.
pub use {headers, http};
/// What somebody who asks the admin API may do: for routes of one's own on it, which find a
/// [`Who`] in the extensions of their requests and may ask it whether they may do more.
#[cfg(feature = "admin")]
pub mod access {
    pub use portway_admin::access::{By, Denied, Grant, Kind, Scope, Verb, Who};
}
#[cfg(feature = "admin")]
pub use portway_admin::{access::Who, openapi};
pub use portway_config as config;
pub use portway_core::{
    Changes, HostedPeer as Peer, Intent, Options, Part, Proposals, Running, Server, Stop,
    Upgradable, connect, explain, observe, protocol, run, telemetry, telemetry::BuildInfo, verify,
};
/// Two response hooks, by example:
///
/// ```
/// use portway::plugin::{Error, Response};
///
/// #[portway::after]
/// async fn stamp(answer: &mut Response) {
///     answer.headers_mut().insert("x-stamp", http::HeaderValue::from_static("seen"));
/// }
///
/// #[portway::after]
/// async fn soften(outcome: &mut Result<Response, Error>) {
///     if outcome.is_err() {
///         *outcome = Ok(Response::new("later".into()));
///     }
/// }
/// # fn main() {}
/// ```
#[cfg(feature = "macros")]
pub use portway_macros::after;
/// Two hooks, by example:
///
/// ```
/// use portway::{Halt, Head, HookResult, Scope};
///
/// /// What the builder was given by `.state(…)`.
/// struct Keys(Vec<String>);
/// struct User(String);
///
/// #[portway::hook]
/// async fn authenticate(head: &mut Head, scope: &mut Scope, keys: &Keys) -> HookResult {
///     let key = head.header("x-key").ok_or_else(|| Halt::unauthorized("x-key is missing"))?;
///     if !keys.0.iter().any(|known| known == key) {
///         return Err(Halt::forbidden("nobody has this key"));
///     }
///     scope.insert(User(key.to_owned()));
///     Ok(())
/// }
///
/// #[portway::hook]
/// async fn introduce(head: &mut Head, user: &User) -> HookResult {
///     head.set_header("x-user", &user.0)
/// }
/// # fn main() {}
/// ```
#[cfg(feature = "macros")]
pub use portway_macros::hook;
/// Two maps, by example:
///
/// ```
/// use portway::{Halt, MapResult};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Lookup { q: String }
/// #[derive(Serialize)]
/// struct Query<'a> { query: &'a str, limit: u32 }
///
/// #[portway::map]
/// async fn remap(input: &Lookup) -> MapResult<Query<'_>> {
///     Ok(Query { query: input.q.trim(), limit: 20 })
/// }
///
/// #[portway::map]
/// async fn check(input: Lookup) -> MapResult<()> {
///     if input.q.is_empty() { Err(Halt::bad_request("q is empty")) } else { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[cfg(feature = "macros")]
pub use portway_macros::map;
/// A service with two routes, by example:
///
/// ```
/// #[portway::service(prefix = "/sales", hosts = ["shop.example"])]
/// mod sales {
///     // Streams, without the prefix: /items/7.
///     #[portway::get("/items/{id}")]
///     async fn item() {}
///
///     // Answers by itself.
///     #[portway::get("/hello/{name}", path = String, handler)]
///     async fn hello(name: String) -> String {
///         format!("hello {name}")
///     }
/// }
///
/// # fn main() {
/// let gateway = portway::Gateway::builder()
///     .mount_service(sales::routes(), ["http://127.0.0.1:9001"])
///     .build();
/// assert_eq!(gateway.expect("it is right").declared().routes.len(), 2);
/// # }
/// ```
#[cfg(feature = "macros")]
pub use portway_macros::service;
#[cfg(feature = "macros")]
pub use portway_macros::{any, delete, get, head, options, patch, post, put, route};
pub use portway_plugin as plugin;
#[cfg(feature = "plugins")]
pub use portway_plugins as plugins;
pub use problems::Problems;
#[cfg(feature = "admin")]
pub use startup::startup_store;
pub use startup::{startup, startup_file, startup_static};
pub use traced::tracing_observer;

/// The program of the first page is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The code of the guide is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/first-plugin.md")]
struct FirstPlugin;

/// The same for balancers.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/balancing.md")]
struct Balancing;

/// The guide to gateways in Rust.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library/guide.md")]
struct Guide;

/// The way here from `ApiGate`.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library/coming-from-apigate.md")]
struct ComingFromApiGate;

/// The way here from spacegate.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library/coming-from-spacegate.md")]
struct ComingFromSpacegate;
