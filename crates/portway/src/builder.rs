//! From a few settings to a running gateway.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use portway_admin::access::NewToken;
use portway_config::{Catalog, Checked, Config, Origin, Outcome, Problem, Revision, Source};
use portway_core::{
    Changes, Options, Server, run,
    source::{FileSource, Vault, read_start},
    telemetry::{BuildInfo, log},
};
use portway_plugin::Registry;
use tokio::{runtime::Handle, task::JoinSet};

use crate::{admin, signals::Signals};

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

    /// Serves the file at `path`, or all files in the directory, and follows changes until SIGTERM
    /// or SIGINT, then finishes what is in flight. SIGHUP reads everything again; a second SIGTERM
    /// ends at once. Must be called on a tokio runtime, which does the control work. Returns whether
    /// everything in flight could finish.
    ///
    /// # Errors
    /// All that is wrong with the files at the start. Then nothing was opened.
    pub async fn serve_file(self, path: &Path) -> Result<bool, Vec<Problem>> {
        self.serve_files(&[path.to_owned()]).await
    }

    /// The same for several files or directories, which say together what is served.
    ///
    /// # Errors
    /// All that is wrong with them at the start. Then nothing was opened.
    pub async fn serve_files(self, paths: &[PathBuf]) -> Result<bool, Vec<Problem>> {
        let (catalog, version, vault) =
            (self.catalog.clone(), self.build.version, Vault::default());
        let (changes, proposals) = Changes::new(&catalog);
        let begin = || Begun::start(paths, &catalog, &vault);
        // The log begins before the gateway does, so the first revision is looked at before.
        let mut source = begin().await;
        let start = source.start_config(paths, &catalog);
        let (mut options, mut parts) = (Options::default(), Vec::new());
        // Ends with the gateway.
        let mut tasks = JoinSet::new();
        if let Some(config) = &start {
            options = self.options(config)?;
        }
        if let Some(config) = start.filter(|config| config.admin.enabled) {
            // What the files say by themselves may refer to what the store has, but the settings
            // of the process are theirs alone.
            let followed = changes.clone();
            let opened = admin::open(&config, &catalog, changes, version).await?;
            tasks.spawn(admin::lend(&opened.ledger, followed, vault.clone()));
            if source.lacks_secrets() {
                source = begin().await;
            }
            parts.push(opened.ledger.part());
            options.admin = Some(Arc::new(opened.api.clone()));
            tasks.spawn(opened.api.follow());
            opened.first.iter().for_each(show_first);
        }
        let signals = Signals::listen(source.source.reread())
            .map_err(|error| problem("no_signals", format!("cannot hear signals: {error}")))?;
        run(vec![source], parts, proposals, options, || signals.stop(), announce).await
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
        Ok(Options { cores: self.cores, build: self.build, log, admin: None })
    }
}

/// Files whose first revision was taken out and is put back.
struct Begun {
    first: Option<Revision>,
    source: FileSource,
}

impl Begun {
    async fn start(paths: &[PathBuf], catalog: &Catalog, vault: &Vault) -> Self {
        let mut source = FileSource::start_all(paths, catalog, vault, &Handle::current());
        Self { first: source.next().await, source }
    }

    /// What the process must know before it begins, if there is hope that it will.
    fn start_config(&self, paths: &[PathBuf], catalog: &Catalog) -> Option<Config> {
        match &self.first.as_ref()?.content {
            Ok(loaded) => Some(loaded.config.clone()),
            Err(_) if self.lacks_secrets() => read_start(paths, catalog).ok(),
            Err(_) => None,
        }
    }

    /// Whether nothing is wrong but secrets that are missing, which the store may have.
    fn lacks_secrets(&self) -> bool {
        let first = self.first.as_ref().and_then(|first| first.content.as_ref().err());
        first.is_some_and(|problems| problems.iter().all(|one| one.code == "unknown_secret"))
    }
}

impl Source for Begun {
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

/// Says the first token where an operator looks. It is said this once, and never logged.
fn show_first(token: &NewToken) {
    eprintln!(
        "The admin API has no admin yet. This token makes one, once, within a day:\n\n  {}\n\n\
         portway token create admin --role admin --token <the token above>\n",
        token.token
    );
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
