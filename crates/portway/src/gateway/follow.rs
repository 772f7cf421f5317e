//! From the first word of all sources to the end of what is in flight.

use std::{future::Future, path::PathBuf, sync::Arc};

use portway_config::{Catalog, Config, Loaded, Origin, Outcome, Problem, Revision, Source};
use portway_core::{
    Options, Part, Server, Stop, run,
    source::{FileSource, Reread, Vault, read_start},
};
use tokio::{sync::Notify, task::JoinSet};

use super::{Gateway, named};
use crate::{
    Problems, admin,
    source::{Own, begun},
};

impl Gateway {
    /// Serves, follows sources and changes, and drains; unless it is all over `early`, before
    /// there is anything to be served.
    pub(super) async fn follow<S, F>(
        self,
        early: Option<Arc<Notify>>,
        embedded: bool,
        listen: impl FnOnce(Option<Reread>) -> Result<S, Problems>,
        started: impl FnOnce(&Server),
    ) -> Result<bool, Problems>
    where
        S: FnMut() -> F,
        F: Future<Output = Stop>,
    {
        if let Some(problem) = self.deaf().filter(|_| !embedded) {
            return Err(problem.into());
        }
        let Self { catalog, part, files, mut sources, process, changes, proposals, .. } = self;
        let vault = Vault::default();
        if !begun(&mut sources, &catalog, early).await {
            return Ok(true);
        }
        let begin = || async {
            match files.is_empty() {
                true => None,
                false => Some(Begun::start(&files, &catalog, &vault).await),
            }
        };
        // The log begins before the gateway does, so the first revision is looked at before.
        let mut source = begin().await;
        let start = match &source {
            Some(source) => source.start_config(&files, &catalog),
            None => Some(Config::default()),
        };
        let start = start.map(|start| with_others(start, &sources, &part));
        let (is_alone, settings) = (source.is_none() && sources.is_empty(), process.clone());
        let own = (Origin::code(), Part::Loaded(Arc::new(part.clone())));
        let mut parts = if part.is_empty() { Vec::new() } else { vec![own] };
        let mut options = match &start {
            Some(config) => process.options(config)?,
            None => Options::default(),
        };
        options.embedded = embedded;
        // Ends with the gateway.
        let mut tasks = JoinSet::new();
        if let Some(config) = start.filter(|config| config.admin.enabled) {
            // What the files say by themselves may refer to what the store has; the settings of the
            // process may not.
            let followed = changes.clone();
            let opened = admin::open(&config, &catalog, changes, &settings).await?;
            tasks.spawn(opened.lend(followed, vault.clone()));
            if source.as_ref().is_some_and(Begun::lacks_secrets) {
                source = begin().await;
            }
            parts.push(opened.part());
            options.admin = Some(opened.service());
            tasks.spawn(opened.follow());
        }
        warn_unheard(options.admin.is_some(), embedded, !settings.extensions.is_empty());
        let stop = listen(source.as_ref().map(|source| source.source.reread()))?;
        let announced = |server: &Server, warnings: &[Problem]| {
            announce(server, warnings);
            started(server);
        };
        let files = source.map(|files| Own::knowing(files, &catalog));
        let sources = files.into_iter().chain(sources);
        let served = run(sources.collect(), parts, proposals, options, stop, announced).await;
        served.map_err(|problems| if is_alone { named(problems, &part) } else { problems.into() })
    }
}

/// The settings of the process, as all who say something of them have them.
fn with_others(mut start: Config, sources: &[Own], declared: &Loaded) -> Config {
    let others = sources.iter().filter_map(Own::first);
    others.chain([declared]).for_each(|part| part.start_onto(&mut start));
    start
}

/// Says that the admin API, or what a program has put on it, cannot be reached.
fn warn_unheard(has_admin: bool, is_embedded: bool, has_extensions: bool) {
    if !has_admin && has_extensions {
        tracing::warn!("there are routes for the admin API, which is off");
    }
    if has_admin && is_embedded {
        tracing::warn!("nobody can reach the admin API: a hosted gateway opens no listener");
    }
}

/// Files whose first revision was taken out and is put back.
struct Begun {
    first: Option<Revision>,
    source: FileSource,
}

impl Begun {
    async fn start(paths: &[PathBuf], catalog: &Catalog, vault: &Vault) -> Self {
        let mut source =
            FileSource::start_all(paths, catalog, vault, &tokio::runtime::Handle::current());
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

fn announce(server: &Server, warnings: &[Problem]) {
    for warning in warnings {
        tracing::warn!(code = warning.code, "{warning}");
    }
    tracing::info!(revision = server.revision(), "serving");
}
