//! Resources in a line of Rust each: what a configuration file says, without its text.
//!
//! ```
//! use portway::{Gateway, build::{Endpoint, Listener, Route, Rule, Service}, config::Balance};
//!
//! # fn main() -> Result<(), portway::Problems> {
//! let gateway = Gateway::builder()
//!     .with(Listener::new("web", "[::]:8080").trusted_proxy("10.0.0.0/8").connections(10_000))
//!     .with(
//!         Service::new("shop")
//!             .endpoint(Endpoint::new("http://10.0.0.1:9001").weight(3))
//!             .endpoint("http://10.0.0.2:9001")
//!             .balance(Balance::LeastRequest)
//!             .connect_timeout("2s"),
//!     )
//!     .with(Route::new("items").to("shop").host("shop.example").path("/items/{id}").timeout("5s"))
//!     .with(
//!         Route::new("old")
//!             .rule(Rule::new().prefix("/v1").header("x-beta", "1"))
//!             .rule(Rule::new().prefix("/v1").method("GET").query("beta", "1"))
//!             .strip_prefix("/v1")
//!             .to_each([("shop", 9), ("shop-next", 1)]),
//!     )
//!     .with(Service::new("shop-next").endpoint("http://10.0.0.3:9001"))
//!     .with(Route::new("health").path("/health").reply(200, "ok"))
//!     .build()?;
//! assert_eq!(gateway.declared().routes.len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! A text that is no value is a problem that names the resource and the field; all of them are told
//! by [`Builder::build`](crate::Builder::build), or by the `build` of each. Whatever has no line
//! here is a field of the resource: `.edit(|route| route.priority = 7)`.

#[macro_use]
mod plugin;
mod endpoint;
mod listener;
mod route;
mod rule;
mod service;

use std::{str::FromStr, sync::Arc};

use portway_config::{
    Config, Kind, Resource,
    value::{InvalidValue, Name},
};
use portway_plugin::Problem;

use crate::{Problems, problems::read};
pub use endpoint::Endpoint;
pub use listener::Listener;
pub use plugin::{Plugin, own, shared};
pub use route::Route;
pub use rule::Rule;
pub use service::Service;

/// What is, or becomes, a resource.
pub trait Make {
    /// The resource.
    ///
    /// # Errors
    /// All that is wrong with it by itself.
    fn make(self) -> Result<Resource, Problems>;
}

impl Make for Resource {
    fn make(self) -> Result<Resource, Problems> {
        Ok(self)
    }
}

macro_rules! made {
    ($($kind:ident),*) => {$(
        impl Make for $kind {
            fn make(self) -> Result<Resource, Problems> {
                Ok(Resource::$kind(Arc::new(self.build()?)))
            }
        }
    )*};
}

made! { Listener, Plugin, Route, Service }

/// A configuration of nothing but these resources, for sources and
/// [`Handle::update`](crate::Handle::update).
///
/// ```
/// use portway::build::{Make, Route, Service, config};
///
/// let made = config([
///     Service::new("shop").endpoint("http://10.0.0.1:9001").make(),
///     Route::new("all").to("shop").make(),
/// ]);
/// assert_eq!(made.expect("it is right").routes.len(), 1);
/// ```
///
/// # Errors
/// All that is wrong with any of them.
pub fn config(
    resources: impl IntoIterator<Item = Result<Resource, Problems>>,
) -> Result<Config, Problems> {
    let (mut config, mut problems) = (Config::default(), Vec::new());
    for resource in resources {
        match resource {
            Ok(resource) => config.push(resource),
            Err(more) => problems.extend(Vec::from(more)),
        }
    }
    if problems.is_empty() { Ok(config) } else { Err(problems.into()) }
}

/// Texts of one resource that become values, and what is wrong with those that do not.
#[derive(Clone, Debug, Default)]
struct Texts {
    /// What it is: `route items`.
    of: String,
    problems: Vec<Problem>,
}

impl Texts {
    /// Those of a resource, and its name.
    fn of(kind: Kind, name: &str) -> (Self, Name) {
        let mut texts = Self { of: format!("{kind} {name}"), problems: Vec::new() };
        let name = texts.read(name, "name").unwrap_or_default();
        (texts, name)
    }

    fn read<T: FromStr<Err = InvalidValue>>(&mut self, text: &str, field: &str) -> Option<T> {
        let path = format!("{} {field}", self.of);
        read(text, path.trim_start()).map_err(|problem| self.problems.push(problem)).ok()
    }

    /// Something is wrong with a field.
    fn wrong(&mut self, field: &str, message: impl Into<String>) {
        let path = format!("{} {field}", self.of);
        self.problems.push(Problem::new("bad_value", message.into()).at(path));
    }

    /// Takes over what is wrong with a part of it.
    fn take(&mut self, part: Self, field: &str) {
        for problem in part.problems {
            let path = format!("{} {field}.{}", self.of, problem.path);
            self.problems.push(problem.at(path));
        }
    }

    fn done<T>(self, one: T) -> Result<T, Problems> {
        if self.problems.is_empty() { Ok(one) } else { Err(self.problems.into()) }
    }
}
