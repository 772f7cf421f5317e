//! What a plugin on stage is told about a request.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::SystemTime,
};

use http::Version;
use portway_plugin::{Consumer, Consumers, Facts, Outcome, Tls};

/// What is known of a request. The fields are public: a test says what it needs.
#[derive(Clone, Debug)]
pub struct Known {
    /// The listener's name.
    pub listener: String,
    /// The route's name; `None` for a request that none takes.
    pub route: Option<String>,
    /// The service's name.
    pub service: Option<String>,
    /// The pattern of the route.
    pub pattern: Option<String>,
    /// What its placeholders stand for.
    pub parameters: BTreeMap<String, String>,
    /// The host asked for.
    pub host: String,
    /// The path in its normal form. Empty: the path of the request.
    pub path: String,
    /// The other end of the connection.
    pub socket: SocketAddr,
    /// The client's address. `None`: the socket's.
    pub client: Option<IpAddr>,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The version of HTTP.
    pub protocol: Version,
    /// The request's id.
    pub request_id: String,
    /// The core's number.
    pub core: usize,
    /// Who may ask.
    pub consumers: Consumers,
    /// Who a plugin further out has found to ask.
    pub consumer: Option<Arc<Consumer>>,
    /// What came of sending it on.
    pub outcome: Outcome,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            listener: "web".to_owned(),
            route: Some("route".to_owned()),
            service: Some("service".to_owned()),
            pattern: None,
            parameters: BTreeMap::new(),
            host: "example.com".to_owned(),
            path: String::new(),
            socket: SocketAddr::from(([192, 0, 2, 1], 40_000)),
            client: None,
            scheme: "http",
            protocol: Version::HTTP_11,
            request_id: "0123456789abcdef".to_owned(),
            core: 0,
            consumers: Consumers::default(),
            consumer: None,
            outcome: Outcome::default(),
        }
    }
}

impl Facts for Known {
    fn listener(&self) -> &str {
        &self.listener
    }

    fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    fn pattern(&self) -> Option<String> {
        self.pattern.clone()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.parameters.get(name).cloned()
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn socket(&self) -> SocketAddr {
        self.socket
    }

    fn client(&self) -> IpAddr {
        self.client.unwrap_or(self.socket.ip())
    }

    fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn tls(&self) -> Option<Tls<'_>> {
        None
    }

    fn protocol(&self) -> Version {
        self.protocol
    }

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn arrival(&self) -> SystemTime {
        super::outside::now()
    }

    fn core(&self) -> usize {
        self.core
    }

    fn consumers(&self) -> &Consumers {
        &self.consumers
    }

    fn outcome(&self) -> Outcome {
        self.outcome.clone()
    }
}
