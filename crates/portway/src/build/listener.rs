//! Listeners.

use portway_config::{
    KeyPair, Kind, ListenerProtocol, ListenerTls,
    value::{BindAddr, Cidr, ListenAddr},
};

use super::Texts;
use crate::Problems;

/// A socket clients connect to.
///
/// ```
/// use portway::build::Listener;
///
/// let listener = Listener::new("web", "[::]:8080").trusted_proxy("10.0.0.0/8");
/// assert!(listener.build().is_ok());
///
/// let problems = Listener::new("web", "everywhere").build().unwrap_err();
/// assert_eq!(problems[0].path, "listener web bind");
/// ```
#[derive(Clone, Debug)]
pub struct Listener {
    one: portway_config::Listener,
    texts: Texts,
}

impl Listener {
    /// A listener of this name for HTTP: `127.0.0.1:8080`, `[::]:80`, `:80` for both families,
    /// `unix:/run/web.sock`. Port 0 lets the system choose.
    #[must_use]
    pub fn new(name: &str, bind: &str) -> Self {
        let (mut texts, name) = Texts::of(Kind::Listener, name);
        let bind: Option<ListenAddr> = texts.read(bind, "bind");
        // It is never bound: the problem is told.
        let bind = bind.unwrap_or_else(|| BindAddr::localhost(0).into());
        Self { one: portway_config::Listener::new(name, bind), texts }
    }

    /// What is spoken there, where it is not HTTP.
    #[must_use]
    pub fn protocol(mut self, protocol: ListenerProtocol) -> Self {
        self.one.protocol = protocol;
        self
    }

    /// Ends TLS, with one more certificate and its key, in PEM. The one for the name that a client
    /// asks for is shown; the first one, where none fits.
    #[must_use]
    pub fn tls(mut self, certificate: &str, key: &str) -> Self {
        let cert = self.texts.read(certificate, "tls.certificates");
        let key = self.texts.read(key, "tls.certificates");
        let pair = cert.zip(key).map(|(cert, key)| KeyPair { cert, key, hosts: Vec::new() });
        let tls = self.one.tls.get_or_insert_with(|| ListenerTls::new(Vec::new()));
        tls.certificates.extend(pair);
        self
    }

    /// Believes what these peers say of the client: an address or a CIDR block.
    #[must_use]
    pub fn trusted_proxy(mut self, peers: &str) -> Self {
        self.one.trusted_proxies.extend(self.texts.read::<Cidr>(peers, "trusted_proxies"));
        self
    }

    /// The connections that may be open at once. Without it, there is no limit.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.one.limits.connections = connections;
        self
    }

    /// The longest request body: `10MiB`. Without it, there is no limit.
    #[must_use]
    pub fn body_limit(mut self, size: &str) -> Self {
        self.one.limits.body = self.texts.read(size, "limits.body").unwrap_or(self.one.limits.body);
        self
    }

    /// Changes anything else about it.
    #[must_use]
    pub fn edit(mut self, change: impl FnOnce(&mut portway_config::Listener)) -> Self {
        change(&mut self.one);
        self
    }

    /// The resource.
    ///
    /// # Errors
    /// All that is wrong with it by itself.
    pub fn build(self) -> Result<portway_config::Listener, Problems> {
        self.texts.done(self.one)
    }
}

attaching!(Listener, one.plugins);
