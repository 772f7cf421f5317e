//! Services.

use portway_config::{Balance, HostPolicy, Kind, UpstreamHttp2};

use super::{Endpoint, Route, Texts};
use crate::Problems;

/// Where requests are forwarded to.
///
/// ```
/// use portway::build::{Endpoint, Service};
///
/// let service = Service::new("shop")
///     .endpoint("http://10.0.0.1:9001")
///     .endpoint(Endpoint::new("http://10.0.0.2:9001").weight(2));
/// assert_eq!(service.build().expect("it is right").endpoints.len(), 2);
///
/// let problems = Service::new("shop").endpoint("10.0.0.1:9001").build().unwrap_err();
/// assert_eq!(problems[0].path, "service shop endpoints[0].url");
/// ```
#[derive(Clone, Debug)]
pub struct Service {
    one: portway_config::Service,
    texts: Texts,
}

impl Service {
    /// A service of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let (texts, name) = Texts::of(Kind::Service, name);
        Self { one: portway_config::Service::new(name, Vec::new()), texts }
    }

    /// In a namespace other than `default`.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.one.meta.namespace = self.texts.read(namespace, "namespace").unwrap_or_default();
        self
    }

    /// With one more endpoint: a URL, or an [`Endpoint`].
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<Endpoint>) -> Self {
        let mut endpoint = endpoint.into();
        let field = format!("endpoints[{}]", self.one.endpoints.len());
        self.one.endpoints.extend(endpoint.resource());
        self.texts.take(endpoint.texts, &field);
        self
    }

    /// How a request chooses among several endpoints. Without it, in turn.
    #[must_use]
    pub fn balance(mut self, balance: Balance) -> Self {
        self.one.balance = balance;
        self
    }

    /// How long connecting may take: `5s`.
    #[must_use]
    pub fn connect_timeout(mut self, time: &str) -> Self {
        self.one.timeouts.connect = self.texts.read(time, "timeouts.connect");
        self
    }

    /// How long the head of an answer may take: `30s`.
    #[must_use]
    pub fn response_timeout(mut self, time: &str) -> Self {
        self.one.timeouts.response_header = self.texts.read(time, "timeouts.response_header");
        self
    }

    /// How long a whole exchange may take. Without it, there is no limit.
    #[must_use]
    pub fn timeout(mut self, time: &str) -> Self {
        self.one.timeouts.request = self.texts.read(time, "timeouts.request");
        self
    }

    /// The client's `Host` reaches the endpoints, in place of their own.
    #[must_use]
    pub fn preserve_host(mut self) -> Self {
        self.one.host = HostPolicy::Preserve;
        self
    }

    /// Whether HTTP/2 is spoken to the endpoints.
    #[must_use]
    pub fn http2(mut self, http2: UpstreamHttp2) -> Self {
        self.one.http2 = http2;
        self
    }

    /// With a route of its own, which needs no target.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        let (route, texts) = route.parts();
        self.one.routes.push(route);
        self.texts.problems.extend(texts.problems);
        self
    }

    /// Changes anything else about it.
    #[must_use]
    pub fn edit(mut self, change: impl FnOnce(&mut portway_config::Service)) -> Self {
        change(&mut self.one);
        self
    }

    /// The resource.
    ///
    /// # Errors
    /// All that is wrong with it by itself.
    pub fn build(self) -> Result<portway_config::Service, Problems> {
        self.texts.done(self.one)
    }
}

attaching!(Service, one.plugins);
