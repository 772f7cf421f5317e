//! Services that a program mounts.

use std::{
    error::Error as StdError,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use portway_config::{Problem, Role, value::Name};
use portway_core::{Body, Error, Response};
use tower_service::Service;

use crate::access::BoxFuture;

type Boxed = Box<dyn StdError + Send + Sync>;

/// A service of the program's own, at `/api/v1/extensions/<name>`. Copies are one.
#[derive(Clone)]
pub struct Extension {
    name: Name,
    role: Role,
    service: Arc<dyn Asks>,
}

/// All of a program.
#[derive(Clone, Debug, Default)]
pub struct Extensions(Vec<Extension>);

impl Extension {
    /// A service for whoever has this role at least, in all namespaces: a router of axum, or any
    /// other. Its errors are told as 500, with their texts in the log alone.
    ///
    /// # Errors
    /// The name is none.
    pub fn new<S, B>(name: &str, role: Role, service: S) -> Result<Self, Problem>
    where
        S: Service<Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
        S::Error: Into<Boxed>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Boxed>,
    {
        let name = name.strip_prefix('/').unwrap_or(name).parse::<Name>().map_err(|invalid| {
            let problem = Problem::new(invalid.code, invalid.message.into_owned());
            problem.at(format!("admin routes {name:?}")).hint("one segment, such as /jobs")
        })?;
        Ok(Self { name, role, service: Arc::new(Mounted(Mutex::new(service))) })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whom it takes to use it.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Asks it.
    pub(super) fn ask(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'static, Result<Response, Error>> {
        self.service.ask(request)
    }
}

impl Extensions {
    /// One more.
    ///
    /// # Errors
    /// There is one of that name.
    pub fn add(&mut self, extension: Extension) -> Result<(), Problem> {
        let name = &extension.name;
        if self.get(name.as_str()).is_some() {
            let message = format!("there are two of the name {name}");
            let problem = Problem::new("duplicate_extension", message);
            return Err(problem.at(format!("admin routes \"{name}\"")));
        }
        self.0.push(extension);
        Ok(())
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Extension> {
        self.0.iter().find(|one| one.name.as_str() == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Extension> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension").field("name", &self.name).field("role", &self.role).finish()
    }
}

/// A service whose type nobody has to name.
trait Asks: Send + Sync {
    fn ask(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response, Error>>;
}

/// The lock is held to make a copy, and never while one answers: services need not be `Sync`.
struct Mounted<S>(Mutex<S>);

impl<S, B> Asks for Mounted<S>
where
    S: Service<Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
    S::Error: Into<Boxed>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Boxed>,
{
    fn ask(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response, Error>> {
        let mut service = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(failed)?;
            let response = service.call(request).await.map_err(failed)?;
            Ok(response.map(|body| Body::stream(body.map_err(failed))))
        })
    }
}

fn failed(error: impl Into<Boxed>) -> Error {
    Error::gateway("extension_failed", "an extension of the admin API failed").because(error)
}
