//! The stage itself.

use std::sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed};

use bytes::Bytes;
use http::Method;
use portway_plugin::{
    Body, BoxFuture, Chain, Exchange, Host, Hosting, Instance, Level, Next, Plugin, Problem,
    Registry, Request, RequestExt, Response, Result,
};
use serde_json::Value;

use super::{Known, Seen, outside::Outside};

/// What the target answers.
type Target = Box<dyn Fn(&http::Request<Bytes>) -> Result<Response> + Send + Sync>;

/// One plugin, and what stands around it. By default the target answers 200 with the body `ok`.
pub struct Stage {
    instance: Instance,
    outside: Arc<Outside>,
    host: Host,
    target: Target,
    /// What plugins are told about the next requests.
    pub known: Known,
}

impl Stage {
    /// Makes the plugin of a spec, and starts it.
    ///
    /// # Errors
    /// What is wrong with the spec.
    pub async fn of<P: Plugin>(spec: Value) -> Result<Self, Problem> {
        let stage = Self::unstarted::<P>(spec)?;
        stage.start().await;
        Ok(stage)
    }

    /// Makes the plugin, which the test starts itself when everything around it is there.
    ///
    /// # Errors
    /// What is wrong with the spec.
    pub fn unstarted<P: Plugin>(spec: Value) -> Result<Self, Problem> {
        let registry = Registry::new().with::<P>();
        let entry = registry.get(P::NAME).expect("it was just put there");
        let instance = entry.create(spec)?;
        let outside = Arc::new(Outside::new(P::NAME, 2));
        let host = Host::new(Arc::clone(&outside) as Arc<_>);
        let target = Box::new(|_: &http::Request<Bytes>| {
            Ok(Response::new(Body::from(Bytes::from_static(b"ok"))))
        });
        Ok(Self { instance, outside, host, target, known: Known::default() })
    }

    /// Starts the plugin.
    pub async fn start(&self) {
        self.instance.start(&self.host).await;
    }

    /// What the target answers from now on.
    #[must_use]
    pub fn target(
        mut self,
        target: impl Fn(&http::Request<Bytes>) -> Result<Response> + Send + Sync + 'static,
    ) -> Self {
        self.target = Box::new(target);
        self
    }

    /// What other servers answer from now on, when the plugin asks them.
    #[must_use]
    pub fn fetched(
        self,
        fetch: impl Fn(Request) -> Result<Response> + Send + Sync + 'static,
    ) -> Self {
        *self.outside.fetch.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(fetch));
        self
    }

    /// Whether all threads that may block are at work from now on.
    pub fn busy(&self, busy: bool) {
        self.outside.busy.store(busy, Relaxed);
    }

    /// How many times the plugin has given work to threads that may block.
    #[must_use]
    pub fn blocking(&self) -> usize {
        self.outside.blocking.load(Relaxed)
    }

    /// What the plugin has counted under this name.
    #[must_use]
    pub fn counted(&self, name: &str) -> u64 {
        Hosting::counter(&*self.outside, name).get()
    }

    /// What the plugin has logged.
    #[must_use]
    pub fn log(&self) -> Vec<(Level, String)> {
        self.outside.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A GET of this path.
    pub async fn get(&self, path: &str) -> Seen {
        self.ask(Method::GET, path, &[]).await
    }

    /// A request without a body.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Seen {
        self.call(request(method, path, headers, Body::empty())).await
    }

    /// A request with a body.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Seen {
        self.call(request(method, path, headers, Body::from(body.into()))).await
    }

    /// Any request.
    pub async fn call(&self, request: Request) -> Seen {
        let mut known = self.known.clone();
        if known.path.is_empty() {
            known.path = request.uri().path().to_owned();
        }
        let exchange = Exchange::new(&known);
        if let Some(consumer) = &known.consumer {
            exchange.identify(Arc::clone(consumer));
        }
        let rest = Rest { stage: self, targets: Mutex::default() };
        let result = self.instance.call(request, Next::new(&rest, &exchange, 1)).await;
        let targets = rest.targets.into_inner().unwrap_or_else(PoisonError::into_inner);
        Seen {
            result,
            targets,
            consumer: exchange.consumer().cloned(),
            notes: exchange.notes().take(),
            marks: exchange.marks(),
        }
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stage").field(&self.instance).finish()
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).expect("a test makes valid requests")
}

/// What stands behind the plugin.
struct Rest<'a> {
    stage: &'a Stage,
    targets: Mutex<Vec<http::Request<Bytes>>>,
}

impl Chain for Rest<'_> {
    fn run<'s>(
        &'s self,
        _: usize,
        mut request: Request,
        _: &'s Exchange<'s>,
    ) -> BoxFuture<'s, Result<Response>> {
        Box::pin(async move {
            let bytes = request.buffer(64 * 1024 * 1024).await?;
            let request = request.map(|_| bytes);
            let answer = (self.stage.target)(&request);
            self.targets.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            answer
        })
    }

    fn host(&self, _: usize) -> &Host {
        &self.stage.host
    }

    fn ended(&self, _: usize, _: &Result<Response>, _: bool) {}
}
