//! The contract for code that runs inside the gateway, and the values its configuration is made
//! of. It knows neither tokio nor hyper, so that whoever depends on it compiles fast and cannot
//! reach into the data plane.
//!
//! A plugin is a type with a name and two functions:
//!
//! ```
//! use portway_plugin::{Next, Plugin, Problem, Request, Response, Result};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! /// Says hello in a header field of every answer.
//! struct Hello { name: http::HeaderValue }
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct HelloSpec {
//!     /// Who says it.
//!     name: String,
//! }
//!
//! impl Plugin for Hello {
//!     const NAME: &'static str = "hello";
//!     type Spec = HelloSpec;
//!
//!     fn create(spec: HelloSpec) -> Result<Self, Problem> {
//!         let name = spec.name.parse();
//!         Ok(Self { name: name.map_err(|_| Problem::new("bad_value", "not a field value"))? })
//!     }
//!
//!     async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
//!         let mut response = next.run(request).await?;
//!         response.headers_mut().insert("x-hello", self.name.clone());
//!         Ok(response)
//!     }
//! }
//! ```
//!
//! | what | where |
//! |---|---|
//! | the plugin, the rest of its chain, the list of plugins | [`Plugin`], [`Next`], [`Registry`] |
//! | what is known of a request | [`Exchange`], by [`Next::exchange`] |
//! | what the gateway does for a plugin | [`Host`], by [`Next::host`] and [`Plugin::start`] |
//! | what an instance answers in the admin API | [`AdminRoutes`], by [`Plugin::admin_routes`] |
//! | who of several endpoints takes a request | [`balance`], by [`Registry::balancer`] |
//! | failures, on the request path and in a configuration | [`Error`], [`Problem`] |
//! | calls of code that may panic | [`panics`] |
//! | values that cannot hold nonsense | [`value`] |
//! | values of others in a body that is made | [`Escape`] |
//! | passwords, tokens and keys, most of it behind the feature `credentials` | [`credential`] |

mod admin;
pub mod balance;
mod body;
mod claim;
mod consumer;
pub mod credential;
mod error;
mod escape;
mod exchange;
mod host;
mod instance;
mod message;
mod next;
mod notes;
pub mod panics;
mod plugin;
mod problem;
mod registry;
pub mod value;

use std::{future::Future, pin::Pin};

pub use admin::AdminRoutes;
pub use body::{Body, Overflow};
pub use claim::Claim;
pub use consumer::{Consumer, Consumers, Credential, CredentialKind, IDENTITY_FIELDS};
pub use error::{Error, Result, Side};
pub use escape::Escape;
pub use exchange::{ClientCertificate, Exchange, Facts, Outcome, Tls};
pub use host::{Busy, Counter, Host, Hosting, Level, PerCore};
pub use instance::Instance;
pub use message::{Request, RequestExt, Response, ResponseExt, UpstreamVersion, cookie, cookies};
pub use next::{Chain, Next};
pub use notes::{Note, Notes, RefusedNote};
pub use plugin::Plugin;
pub use problem::{Place, Problem};
pub use registry::{Entry, Registry};

/// A future on the heap, whose type nobody has to name.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
