//! Connections: who makes them, what is asked of the kernel for them, what else is spoken on them.

use portway_config::{Config, Listener, Problem, Service, value::Name};
use portway_core::{
    connect::{Connect, Connectors},
    protocol::Protocol,
};

use super::Builder;
use crate::usual::listener;

/// What a program says of a service that somebody else has made.
pub(super) struct Tuning {
    service: String,
    change: Box<dyn FnMut(&mut Service) + Send>,
}

/// Connections.
impl Builder {
    /// Makes the connections to all endpoints, in the gateway's place: by a resolver of its own,
    /// through a proxy, under TLS of its own, inside the process. Names of endpoints need not resolve.
    /// It is asked when a connection is made, never for a request that finds one. Requests and
    /// `tcp://` services go that way; datagrams, and what plugins ask of other servers, do not.
    ///
    /// ```
    /// use portway::{Gateway, connect::Dial};
    /// use tokio::net::TcpStream;
    ///
    /// let builder = Gateway::builder()
    ///     .backend("shop", ["http://shop.internal"])
    ///     .connect(|dial: Dial| async move {
    ///         let stream = TcpStream::connect(("10.0.0.1", dial.port())).await?;
    ///         Ok(stream.into())
    ///     });
    /// # let _ = builder;
    /// ```
    #[must_use]
    pub fn connect(mut self, connect: impl Connect) -> Self {
        self.process.connectors.for_all(connect);
        self
    }

    /// The same for one service, before that for all. One in a namespace is `namespace/name`.
    #[must_use]
    pub fn connect_for(mut self, service: impl Into<String>, connect: impl Connect) -> Self {
        self.process.connectors.for_service(service, connect);
        self
    }

    /// With a protocol of the program's own, for listeners that name it in `protocols`. Connections
    /// that do not begin as it wants go on to TLS and HTTP.
    ///
    /// ```
    /// use portway::{Gateway, protocol::{Cause, Look, Protocol, Visitor}};
    ///
    /// /// Gives back what it gets.
    /// struct Echo;
    ///
    /// impl Protocol for Echo {
    ///     fn recognise(&self, first: &[u8]) -> Look {
    ///         Look::starts_with(first, b"echo ")
    ///     }
    ///
    ///     async fn serve(&self, visitor: Visitor) -> Result<(), Cause> {
    ///         let (mut from, mut to) = tokio::io::split(visitor.stream);
    ///         tokio::io::copy(&mut from, &mut to).await?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let gateway = Gateway::builder()
    ///     .protocol("echo", Echo)
    ///     .listen_with("127.0.0.1:8080", |web| web.protocols.push("echo".parse().expect("a name")))
    ///     .build();
    /// # assert!(gateway.is_ok());
    /// ```
    #[must_use]
    pub fn protocol(mut self, name: &str, protocol: impl Protocol) -> Self {
        match name.parse::<Name>() {
            Ok(name) => self.process.protocols.add(name, protocol),
            Err(invalid) => {
                let problem = Problem::new(invalid.code, invalid.message).at("protocol");
                self.problems.push(Problem { hint: invalid.hint, ..problem });
            }
        }
        self
    }

    /// Sets what else a service says that [`backend`](Self::backend), a table or
    /// [`configure`](Self::configure) has made: timeouts, pool, TLS, and what is asked of the kernel.
    ///
    /// ```
    /// use portway::{Gateway, config::Keepalive};
    ///
    /// let gateway = Gateway::builder()
    ///     .backend("shop", ["http://127.0.0.1:9001"])
    ///     .service("shop", |shop| {
    ///         shop.timeouts.connect = Some("1s".parse().expect("a time"));
    ///         shop.pool.max_idle = 64;
    ///         shop.socket.keepalive = Some(Keepalive::default());
    ///     })
    ///     .build();
    /// assert_eq!(gateway.expect("it is right").declared().services[0].pool.max_idle, 64);
    /// ```
    #[must_use]
    pub fn service(
        mut self,
        name: impl Into<String>,
        change: impl FnMut(&mut Service) + Send + 'static,
    ) -> Self {
        self.tunings.push(Tuning { service: name.into(), change: Box::new(change) });
        self
    }

    /// With one more listener as [`listen`](Self::listen) makes it, and what else it says: limits,
    /// TLS, trusted proxies, and what is asked of the kernel.
    ///
    /// ```
    /// use portway::Gateway;
    ///
    /// let builder = Gateway::builder().listen_with("[::]:80", |web| {
    ///     web.limits.connections = 10_000;
    ///     web.backlog = 4096;
    ///     web.socket.receive_buffer = "1MiB".parse().expect("a size");
    /// });
    /// # let _ = builder;
    /// ```
    #[must_use]
    pub fn listen_with(mut self, bind: &str, change: impl FnOnce(&mut Listener)) -> Self {
        match listener(bind, &self.config.listeners) {
            Ok(mut listener) => {
                change(&mut listener);
                self.config.listeners.push(listener);
            }
            Err(problem) => self.problems.push(problem),
        }
        self
    }
}

/// Services that were made of a declared one for routes with a policy of their own, each with the
/// name of that one.
pub(super) struct Alike(Vec<(String, String)>);

impl Alike {
    /// `made` is what `declared` names have become.
    pub(super) fn of(made: &Config, declared: &[(String, Vec<String>)]) -> Self {
        let is_declared = |name: &str| declared.iter().any(|(other, _)| other == name);
        let origin = |called: &str| {
            let mut cuts = called.rmatch_indices('.').map(|(at, _)| &called[..at]);
            cuts.find(|name| is_declared(name)).map(str::to_owned)
        };
        let made = made.services.iter().map(|service| service.meta.called());
        let made = made.filter(|called| !is_declared(called));
        Self(made.filter_map(|called| Some((origin(&called)?, called))).collect())
    }

    /// Lets whoever dials for a service dial for those that were made of it.
    pub(super) fn connect(&self, connectors: &mut Connectors) {
        for (origin, called) in &self.0 {
            connectors.same_for(called.clone(), origin);
        }
    }

    /// Sets what was said of services by their name, and of those that were made of them.
    pub(super) fn tune(&self, tunings: Vec<Tuning>, config: &mut Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        for Tuning { service, mut change } in tunings {
            let of_it = |called: &str| {
                self.0.iter().any(|(origin, other)| *origin == service && *other == called)
            };
            let is_meant = |one: &Service| {
                let called = one.meta.called();
                called == service || of_it(&called)
            };
            if !config.services.iter().any(is_meant) {
                let message = format!("there is no service {service:?} in the program");
                let problem = Problem::new("unknown_service", message);
                let hint = "give it endpoints with .backend(…), or say it where the service stands";
                problems.push(problem.hint(hint));
            }
            config.services.change(is_meant, &mut *change);
        }
        problems
    }
}
