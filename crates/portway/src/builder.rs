//! From a few settings to a gateway.

mod dial;

use std::{path::PathBuf, sync::Arc};

use portway_config::{Balance, Catalog, Checked, Config, Listener, Loaded, Problem, Source};
use portway_core::{
    Options, Server,
    observe::{Event, Observer},
    telemetry::BuildInfo,
};
use portway_plugin::{Error, Registry, Response};

use crate::{
    Problems,
    build::Make,
    code::{self, Declared, Settings, State},
    gateway::{self, Gateway, Process},
    source::{self, Own},
    traced::tracing_observer,
    usual::{listener, quiet},
};

/// The longest body that hooks and maps read into memory, unless a route or the builder says
/// otherwise.
const BODY_LIMIT: usize = 2 << 20;

/// What a program says about its gateway.
///
/// ```no_run
/// # async fn serve() -> Result<(), portway::Problems> {
/// let gateway = portway::Gateway::builder()
///     .backend("shop", ["http://127.0.0.1:9001", "http://127.0.0.1:9002"])
///     .file("gateway.yaml")
///     .build()?;
/// gateway.run("127.0.0.1:8080").await?;
/// # Ok(())
/// # }
/// ```
pub struct Builder {
    plugins: Registry,
    declared: Declared,
    state: State,
    body_limit: usize,
    unprocessable: bool,
    config: Config,
    files: Vec<PathBuf>,
    sources: Vec<Own>,
    pub(crate) process: Process,
    tunings: Vec<dial::Tuning>,
    pub(crate) problems: Vec<Problem>,
}

/// The usual settings.
impl Default for Builder {
    fn default() -> Self {
        Self {
            plugins: built_in(),
            declared: Declared::default(),
            state: State::default(),
            body_limit: BODY_LIMIT,
            unprocessable: false,
            config: Config::default(),
            files: Vec::new(),
            sources: Vec::new(),
            process: Process::default(),
            tunings: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// What is served.
impl Builder {
    /// The usual settings: a core for each CPU the process may use, the built-in plugins, and no
    /// log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With the routes of a service: `.mount(sales::routes())`. Its endpoints are given by
    /// [`backend`](Self::backend), or stand in a file or the store.
    #[must_use]
    pub fn mount(mut self, service: &'static code::Service) -> Self {
        self.declared.services.push(service);
        self
    }

    /// With the endpoints of a service. Those of one name take the place of earlier ones.
    #[must_use]
    pub fn backend<U: Into<String>>(
        mut self,
        service: impl Into<String>,
        endpoints: impl IntoIterator<Item = U>,
    ) -> Self {
        let (name, urls) = (service.into(), endpoints.into_iter().map(Into::into).collect());
        match self.declared.endpoints.iter_mut().find(|(other, _)| *other == name) {
            Some((_, earlier)) => *earlier = urls,
            None => self.declared.endpoints.push((name, urls)),
        }
        self
    }

    /// With the routes of a service and its endpoints.
    #[must_use]
    pub fn mount_service<U: Into<String>>(
        self,
        service: &'static code::Service,
        endpoints: impl IntoIterator<Item = U>,
    ) -> Self {
        self.backend(service.name, endpoints).mount(service)
    }

    /// With a way to choose among endpoints, for services and routes that name it.
    #[must_use]
    pub fn policy(mut self, name: impl Into<String>, balance: Balance) -> Self {
        self.declared.policies.insert(name.into(), balance);
        self
    }

    /// The way to choose among endpoints where nobody names one. Without it, in turn.
    #[must_use]
    pub fn default_policy(mut self, balance: Balance) -> Self {
        self.declared.default_policy = balance;
        self
    }

    /// With a value that hooks, maps and handlers ask for by its type. There is one of each type; a
    /// second one is told as a problem.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        if !self.state.insert(value) {
            let name = std::any::type_name::<T>();
            let message = format!("there are two values of the type {name} to be shared");
            let problem = Problem::new("duplicate_state", message);
            self.problems.push(problem.hint("wrap one of them in a type of its own"));
        }
        self
    }

    /// The longest body that hooks and maps read into memory, in bytes. Default 2 MiB. A route may
    /// say otherwise. Bodies that nobody reads stream, and are bounded by their listener.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Answers bodies that are well-formed and of the wrong types with 422 (RFC 9110 section
    /// 15.5.21) in place of 400.
    #[must_use]
    pub fn unprocessable(mut self, answers: bool) -> Self {
        self.unprocessable = answers;
        self
    }

    /// With one more listener: TLS, limits, trusted proxies and the rest are its fields.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.config.listeners.push(listener);
        self
    }

    /// With one more listener for plain HTTP: `127.0.0.1:8080`, `[::]:80`, `unix:/run/web.sock`. The
    /// first one is called `web`, the next ones `web-2`, `web-3`. [`Gateway::run_all`] serves on
    /// them, [`Gateway::run`] on one more.
    #[must_use]
    pub fn listen(mut self, bind: &str) -> Self {
        match listener(bind, &self.config.listeners) {
            Ok(listener) => self.config.listeners.push(listener),
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    /// With probes and metrics: `/healthz`, `/readyz`, `/metrics`. Without it a gateway without
    /// files has none.
    #[must_use]
    pub fn probes(mut self, bind: &str) -> Self {
        match bind.parse() {
            Ok(bind) => {
                (self.config.probes.enabled, self.config.probes.bind) = (true, bind);
                self.process.asked.probes = self.config.probes == Config::default().probes;
            }
            Err(_) => {
                let message = format!("{bind:?} is no address with a port");
                let problem = Problem::new("bad_value", message).at("probes");
                self.problems.push(problem.hint("write \"127.0.0.1:9000\" or \"[::]:9000\""));
            }
        }
        self
    }

    /// With a record of each request on standard output, or where and how
    /// [`configure`](Self::configure) says. Without it a gateway without files writes none, unless
    /// something else is said of the access log.
    #[must_use]
    pub fn access_log(mut self) -> Self {
        self.config.access_log.enabled = true;
        self.process.asked.access_log = true;
        self
    }

    /// Whatever else a configuration can say: services with their pools and timeouts, consumers,
    /// shared plugins.
    ///
    /// In a [`Config`] the access log and the probes are on, so `enabled = true` says nothing: it
    /// takes [`access_log`](Self::access_log) and [`probes`](Self::probes) to have them without
    /// files.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// With a configuration file, or all files in a directory, which are followed.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// With a source of configuration: a [stream](crate::source::stream) of configurations, or a
    /// [`Source`] of one's own. Several are asked at once; what they say counts together with what
    /// files, the store and the program say, and each resource has one owner.
    ///
    /// The gateway begins when each of them has said something. After that, one that fails, ends or
    /// says what cannot be served changes nothing: what was served is served on, and the problems
    /// are in the log, in `/readyz`, and in what the source [learns](Source::learn). Probes and the
    /// access log are what the source, or the builder, says, as in a file: without a word, there are
    /// both.
    #[must_use]
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.sources.push(Own::new(source));
        self
    }

    /// With one more resource, made by [`build`](crate::build) or otherwise.
    #[must_use]
    pub fn with(mut self, resource: impl Make) -> Self {
        match resource.make() {
            Ok(resource) => self.config.push(resource),
            Err(problems) => self.problems.extend(Vec::from(problems)),
        }
        self
    }

    /// The plugins a configuration may name, in place of the built-in ones:
    /// `portway::plugins::registry().with::<Mine>()` for some more.
    #[must_use]
    pub fn plugins(mut self, registry: Registry) -> Self {
        self.plugins = registry;
        self
    }
}

/// How the process serves it.
impl Builder {
    /// The number of data-plane threads.
    #[must_use]
    pub fn cores(mut self, cores: usize) -> Self {
        self.process.cores = Some(cores);
        self
    }

    /// What `/version` and the build metric say.
    #[must_use]
    pub fn build_info(mut self, build: BuildInfo) -> Self {
        self.process.build = build;
        self
    }

    /// Hears of every request: that a route took it, which endpoint was chosen, how it answered, how
    /// it all ended. It runs on the thread that serves the request, and must not block. Without it,
    /// nothing is paid. Several hear of it one after the other.
    ///
    /// ```
    /// use portway::{Gateway, observe::{Event, What}};
    ///
    /// let builder = Gateway::builder().observer(|event: &Event<'_>| {
    ///     if let What::Finished { status, took, .. } = event.what {
    ///         println!("{} {status} {took:?}", event.request_id);
    ///     }
    /// });
    /// # let _ = builder;
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        let earlier = self.process.observer.take();
        self.process.observer = Some(match earlier {
            None => Arc::new(observer),
            Some(earlier) => Arc::new(move |event: &Event<'_>| {
                earlier.observe(event);
                observer.observe(event);
            }),
        });
        self
    }

    /// Writes what an [`observer`](Self::observer) hears to the program's `tracing` subscriber.
    #[must_use]
    pub fn trace_requests(self) -> Self {
        self.observer(tracing_observer)
    }

    /// Makes the answers for all errors, those for unknown paths and methods too. It is given the
    /// error and the id of the request; the cause of the error is for logs alone. Answers that code
    /// made itself ([`Halt::answer`](crate::Halt::answer)) and those of the admin API pass it by.
    ///
    /// ```
    /// use portway::{Gateway, plugin::Error};
    ///
    /// let builder = Gateway::builder().error_renderer(|error: &Error, id: &str| {
    ///     let body = format!("{} ({id})\n", error.message());
    ///     let mut answer = http::Response::new(body.into());
    ///     *answer.status_mut() = error.status();
    ///     answer
    /// });
    /// # let _ = builder;
    /// ```
    #[must_use]
    pub fn error_renderer(
        mut self,
        render: impl Fn(&Error, &str) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.process.renderer = Some(Arc::new(render));
        self
    }

    /// Writes the process log as the configuration says. Without it, the gateway logs to the
    /// program's own `tracing` subscriber.
    #[must_use]
    pub fn process_log(mut self) -> Self {
        self.process.log = true;
        self
    }

    /// Puts the gateway together.
    ///
    /// # Errors
    /// All that is wrong with it. What stands in files is read when it starts.
    pub fn build(mut self) -> Result<Gateway, Problems> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.extend(source::confused(&self.sources));
        let mut lowered = code::lower(&self.declared);
        let is_whole = problems.is_empty() && !lowered.lacks_services;
        problems.append(&mut lowered.problems);
        let alike = dial::Alike::of(&lowered.config, &self.declared.endpoints);
        alike.connect(&mut self.process.connectors);
        self.config.append(&mut lowered.config);
        let mut found = alike.tune(self.tunings, &mut self.config);
        let plugins = match lowered.codes.is_empty() {
            true => self.plugins,
            false => {
                let settings = Settings {
                    state: self.state,
                    body_limit: self.body_limit,
                    unprocessable: self.unprocessable,
                };
                lowered.codes.register(self.plugins, Arc::new(settings))
            }
        };
        let protocols = self.process.protocols.names().cloned().collect();
        let catalog = Catalog::with_protocols(plugins, protocols);
        // What others say is not looked at yet.
        let is_alone = self.files.is_empty() && self.sources.is_empty();
        if is_alone {
            quiet(&mut self.config, self.process.asked);
        }
        let part = Loaded::made(self.config, &catalog);
        if is_alone {
            found.extend(Vec::from(gateway::problems(&part)));
        }
        // A name that nobody has may be that of a resource that could not be made.
        found.retain(|problem| is_whole || !problem.code.starts_with("unknown_"));
        problems.append(&mut found);
        match problems.is_empty() {
            true => Ok(Gateway::new(catalog, part, (self.files, self.sources), self.process)),
            false => Err(problems.into()),
        }
    }

    /// Starts serving a configuration that was checked, and nothing else. Must be called on a tokio
    /// runtime, which does the control work.
    ///
    /// # Errors
    /// What could not be opened; then nothing is. What this builder was told of services, routes,
    /// listeners, files and sources, because it would not be served: [`build`](Self::build) takes it.
    pub async fn start(mut self, config: Checked<Config>) -> Result<Server, Problems> {
        if self.declares_something() {
            let message = "the builder was told what to serve, and `start` serves what it is given";
            let hint = "call `build`, or leave one of them out";
            self.problems.push(Problem::new("two_configurations", message).hint(hint));
        }
        if !self.problems.is_empty() {
            return Err(self.problems.into());
        }
        let options: Options = self.process.options(&config)?;
        Ok(Server::start(config, options).await?)
    }
}

impl Builder {
    /// Whether it was told of anything that [`start`](Self::start) would not serve.
    fn declares_something(&self) -> bool {
        !(self.declared.services.is_empty()
            && self.declared.endpoints.is_empty()
            && self.files.is_empty()
            && self.sources.is_empty()
            && self.config == Config::default())
    }
}

/// The plugins that are there without a word.
#[cfg(feature = "plugins")]
fn built_in() -> Registry {
    portway_plugins::registry()
}

/// There are none.
#[cfg(not(feature = "plugins"))]
fn built_in() -> Registry {
    Registry::new()
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("files", &self.files).finish_non_exhaustive()
    }
}
