//! Endpoints of a service.

use portway_config::{
    Attached,
    value::{ServiceUrl, Weight},
};

use super::Texts;

/// One address of a service. A URL alone is one, too.
#[derive(Clone, Debug)]
pub struct Endpoint {
    url: Option<ServiceUrl>,
    weight: Weight,
    plugins: Vec<Attached>,
    pub(super) texts: Texts,
}

impl Endpoint {
    /// `http://host:port`, or with `https`, `h2c`, `tcp` or `udp`; `unix:/path` is a Unix domain
    /// socket.
    #[must_use]
    pub fn new(url: impl AsRef<str>) -> Self {
        let mut texts = Texts::default();
        let url = texts.read(url.as_ref(), "url");
        Self { url, weight: Weight::default(), plugins: Vec::new(), texts }
    }

    /// Its share of the requests, relative to the others. `0` takes none. Without it, 1.
    #[must_use]
    pub fn weight(mut self, weight: u16) -> Self {
        self.weight = Weight::new(weight);
        self
    }

    /// The endpoint. `None` without a URL, which is among the problems then.
    pub(super) fn resource(&mut self) -> Option<portway_config::Endpoint> {
        let (url, plugins) = (self.url.take()?, std::mem::take(&mut self.plugins));
        Some(portway_config::Endpoint { url, weight: self.weight, plugins })
    }
}

impl From<&str> for Endpoint {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<String> for Endpoint {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

attaching!(Endpoint, plugins);
