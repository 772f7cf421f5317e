//! From a few settings to a running gateway.

use std::path::Path;

use portway_config::{Catalog, Checked, Config, Origin, Outcome, Problem, Revision, Source};
use portway_core::{
    Options, Server, run,
    source::FileSource,
    telemetry::{BuildInfo, log},
};
use portway_plugin::Registry;
use tokio::runtime::Handle;

use crate::signals::Signals;

/// Settings of the process that are not in its configuration.
#[derive(Clone, Debug)]
pub struct Builder {
    catalog: Catalog,
    cores: Option<usize>,
    build: BuildInfo,
    process_log: bool,
}

/// The usual settings.
impl Default for Builder {
    fn default() -> Self {
        Self {
            catalog: Catalog::new(portway_plugins::registry()),
            cores: None,
            build: BuildInfo::default(),
            process_log: false,
        }
    }
}

impl Builder {
    /// The usual settings: a core for each CPU the process may use, the built-in plugins, and no
    /// log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The plugins a file may name, in place of the built-in ones:
    /// `portway::plugins::registry().with::<Mine>()` for some more.
    #[must_use]
    pub fn plugins(mut self, registry: Registry) -> Self {
        self.catalog = Catalog::new(registry);
        self
    }

    /// The number of data-plane threads.
    #[must_use]
    pub fn cores(mut self, cores: usize) -> Self {
        self.cores = Some(cores);
        self
    }

    /// What `/version` and the build metric say.
    #[must_use]
    pub fn build_info(mut self, build: BuildInfo) -> Self {
        self.build = build;
        self
    }

    /// Writes the process log as the configuration says. Without it, the gateway logs to the
    /// program's own `tracing` subscriber.
    #[must_use]
    pub fn process_log(mut self) -> Self {
        self.process_log = true;
        self
    }

    /// Starts serving. Must be called on a tokio runtime, which does the control work.
    ///
    /// # Errors
    /// What could not be opened. Then nothing is.
    pub async fn start(self, config: Checked<Config>) -> Result<Server, Vec<Problem>> {
        let options = self.options(&config)?;
        Server::start(config, options).await
    }

    /// Serves the file at `path` and follows its changes until SIGTERM or SIGINT, then finishes
    /// what is in flight. SIGHUP reads the file again; a second SIGTERM ends at once. Must be
    /// called on a tokio runtime, which does the control work. Returns whether everything in
    /// flight could finish.
    ///
    /// # Errors
    /// All that is wrong with the file at the start. Then nothing was opened.
    pub async fn serve_file(self, path: &Path) -> Result<bool, Vec<Problem>> {
        let mut source = FileSource::start(path, &self.catalog, &Handle::current());
        let signals = Signals::listen(source.reread())
            .map_err(|error| problem("no_signals", format!("cannot hear signals: {error}")))?;
        // The log begins before the gateway does, so the first revision is looked at before.
        let first = source.next().await;
        let options = match first.as_ref().map(|revision| &revision.content) {
            Some(Ok(loaded)) => self.options(&loaded.config)?,
            _ => Options::default(),
        };
        run(Begun { first, source }, options, || signals.stop(), announce).await
    }

    fn options(self, config: &Config) -> Result<Options, Vec<Problem>> {
        let log = if self.process_log {
            let started = log::init(&config.log);
            Some(started.map_err(|error| {
                problem("no_log", format!("the log cannot be started: {error}"))
            })?)
        } else {
            None
        };
        Ok(Options { cores: self.cores, build: self.build, log })
    }
}

/// A source whose first revision was taken out and is put back.
struct Begun<S> {
    first: Option<Revision>,
    source: S,
}

impl<S: Source> Source for Begun<S> {
    fn origin(&self) -> &Origin {
        self.source.origin()
    }

    async fn next(&mut self) -> Option<Revision> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.source.next().await,
        }
    }

    fn learn(&mut self, outcome: &Outcome) {
        self.source.learn(outcome);
    }
}

fn announce(server: &Server, warnings: &[Problem]) {
    for warning in warnings {
        tracing::warn!(code = warning.code, "{warning}");
    }
    tracing::info!(revision = server.revision(), "serving");
}

fn problem(code: &'static str, message: String) -> Vec<Problem> {
    vec![Problem::new(code, message)]
}
