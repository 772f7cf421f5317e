//! The admin API of a gateway that a program serves: its store, its keys, its first token.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use http::Request;
use portway_admin::{
    Api, Extension, KeptTokens, Setup,
    access::{
        AuditLog, DebugTokens, Guard, NewToken, Surroundings, SystemClock, Threads, TokenDesk,
    },
    ledger::{KeyPlace, Ledger},
};
use portway_config::{
    Catalog, Config, Origin, Problem, Resource, Resources, Role, Storage, StorageKind,
};
use portway_core::{AdminService, Changes, Part, source::Vault};
use portway_store::{
    Embedded, Memory,
    backup::Archive,
    seal::{Found, KeyRing, load_or_make},
};

pub(crate) use portway_admin::Extensions;
use portway_plugin::Body;
use tower_service::Service;

use crate::{Builder, gateway::Process};

impl Builder {
    /// With routes of one's own on the admin API: whatever `service` answers stands at
    /// `/api/v1/extensions/<name>` and below it, behind the API's authentication, its checks of
    /// `Host` and `Origin`, and its audit log, for admins with all namespaces. `service` is a router
    /// of axum, or any `tower` service; it sees paths below its own, and who asks as a
    /// [`Who`](crate::Who) in the extensions of the request, never their credentials.
    ///
    /// A `GET` must change nothing: pages from elsewhere may make a browser send one, and are kept
    /// from other methods alone.
    ///
    /// Bodies are bounded as those of the API are. An error of the service or a panic is answered
    /// 500, and one whose head takes longer than a minute 504.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use portway::Gateway;
    ///
    /// let jobs = Router::new().route("/", get(async || "none")).route("/{id}", get(async || "?"));
    /// let gateway = Gateway::builder()
    ///     .configure(|config| config.admin.enabled = true)
    ///     .admin_routes("/jobs", jobs)
    ///     .build();
    /// # drop(gateway);
    /// ```
    #[must_use]
    pub fn admin_routes<S, B>(self, name: &str, service: S) -> Self
    where
        S: Service<Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        self.admin_routes_for(Role::Admin, name, service)
    }

    /// The same for whoever has this role at least. A viewer may read only (`GET`, `HEAD`),
    /// whatever the role says, and nobody comes in who has not all namespaces.
    #[must_use]
    pub fn admin_routes_for<S, B>(mut self, role: Role, name: &str, service: S) -> Self
    where
        S: Service<Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let extension = Extension::new(name, role, service);
        let added = extension.and_then(|extension| self.process.extensions.add(extension));
        self.problems.extend(added.err());
        self
    }
}

/// Keys of secrets, in place of the key file.
const KEYS: &str = "PORTWAY_SECRETS_KEY";
/// The directory of the store.
const DIRECTORY: &str = "PORTWAY_DATA_DIR";
/// The file of the keys, in the directory of the store.
const KEY_FILE: &str = "secrets.key";
/// Threads that look at passwords, and passwords that wait for them.
const LOGINS: (usize, usize) = (1, 16);

/// The admin API and what it is made of.
pub(crate) struct Opened {
    api: Api,
    ledger: Ledger,
    /// A token for somebody who has none yet. It is shown once.
    first: Option<NewToken>,
}

/// Opens the store and makes the API.
pub(crate) async fn open(
    config: &Config,
    catalog: &Catalog,
    changes: Changes,
    process: &Process,
) -> Result<Opened, Vec<Problem>> {
    let (store, keys) = keep(&config.store).await?;
    let history = usize::try_from(config.store.history).unwrap_or(usize::MAX);
    let ledger = Ledger::open(Arc::clone(&store), keys, catalog, changes, history).await;
    let ledger = ledger.map_err(|error| match error {
        portway_admin::ledger::Error::Wrong(problems) => problems,
        error => problem("store_unreadable", format!("the store cannot be used: {error}")),
    })?;
    let clock = Arc::new(SystemClock::default());
    let tokens = Arc::new(KeptTokens::new(store));
    let desk = TokenDesk::new(tokens.clone(), clock.clone());
    let blocking = Arc::new(Threads::new(LOGINS.0, LOGINS.1));
    let surroundings = Surroundings { tokens, clock, blocking };
    let guard = Guard::new(&config.admin, surroundings).map_err(|problem| vec![problem])?;
    let first = desk.first(guard.has_admin()).await;
    let first = first.map_err(|error| problem("no_token", error.to_string()))?;
    let audit = match &config.admin.audit_log {
        None => AuditLog::to_process_log(),
        Some(output) => AuditLog::open(output).map_err(|error| {
            problem("cannot_write", format!("the audit log cannot be written: {error}"))
        })?,
    };
    let debug = DebugTokens::of_this_process();
    let debug = debug.map_err(|error| problem("no_random_bytes", error.to_string()))?;
    let (extensions, version) = (process.extensions.clone(), process.build.version);
    let ledger_of_api = ledger.clone();
    let setup =
        Setup { ledger: ledger_of_api, guard, tokens: desk, audit, debug, extensions, version };
    Ok(Opened { api: Api::new(setup), ledger, first })
}

impl Opened {
    /// What the store says.
    pub(crate) fn part(&self) -> (Origin, Part) {
        self.ledger.part()
    }

    /// What answers the requests of its listener.
    pub(crate) fn service(&self) -> Arc<dyn AdminService> {
        Arc::new(self.api.clone())
    }

    /// Shows the first token, and keeps up with what is served.
    pub(crate) fn follow(self) -> impl Future<Output = ()> + use<> {
        self.first.iter().for_each(show_first);
        self.api.follow()
    }

    /// Puts the secrets of the store into the vault, where files find them. The future does so again
    /// whenever something else is served.
    pub(crate) fn lend(
        &self,
        mut changes: Changes,
        vault: Vault,
    ) -> impl Future<Output = ()> + use<> {
        let lend = move |resources: &Resources| {
            let secrets = resources.iter().filter_map(|one| match &one.resource {
                Resource::Secret(secret) => Some(secret.revealed()),
                _ => None,
            });
            vault.set(&Origin::store(), secrets);
        };
        lend(&self.ledger.state().resources);
        async move {
            while let Some(running) = changes.changed().await {
                for (_, part) in running.parts() {
                    if let Part::Stored(resources) = part {
                        lend(resources);
                    }
                }
            }
        }
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

/// Keys, and where they are kept.
type Keys = (KeyRing, KeyPlace);

/// The store and the keys of its secrets.
async fn keep(storage: &Storage) -> Result<(Arc<dyn Archive>, Keys), Vec<Problem>> {
    if storage.kind == StorageKind::Memory {
        let made = || -> Result<Keys, Vec<Problem>> {
            let ring = KeyRing::generate().map_err(|error| problem("no_key", error.to_string()))?;
            Ok((ring, KeyPlace::Memory))
        };
        let keys = keys_of_environment()?.map_or_else(made, Ok)?;
        return Ok((Arc::new(Memory::new()), keys));
    }
    let directory = directory(storage)?;
    // The store is opened on a thread that may wait for a disk.
    let opened = tokio::task::spawn_blocking(move || {
        let store = Embedded::open(&directory, portway_store::Options::default())
            .map_err(|error| problem("store_unavailable", error.to_string()))?;
        let of_file = || -> Result<Keys, Vec<Problem>> {
            let file = directory.join(KEY_FILE);
            Ok((key_file(&file)?, KeyPlace::File(file)))
        };
        let keys = keys_of_environment()?.map_or_else(of_file, Ok)?;
        tracing::info!(store = %store.file().display(), "store opened");
        Ok((Arc::new(store) as Arc<dyn Archive>, keys))
    });
    opened.await.map_err(|error| problem("store_unavailable", error.to_string()))?
}

fn key_file(path: &Path) -> Result<KeyRing, Vec<Problem>> {
    let (ring, found) = load_or_make(path).map_err(|error| problem("no_key", error.to_string()))?;
    let file = path.display();
    match found {
        Found::Made => tracing::warn!(
            %file,
            "a key for secrets was made: keep a copy of the file apart from backups"
        ),
        Found::Kept { exposed: true } => {
            tracing::warn!(%file, "others may read the key of secrets: chmod 600");
        }
        Found::Kept { exposed: false } => {}
    }
    Ok(ring)
}

fn keys_of_environment() -> Result<Option<Keys>, Vec<Problem>> {
    let Some(text) = env::var(KEYS).ok().filter(|text| !text.is_empty()) else { return Ok(None) };
    let ring = KeyRing::parse(&text);
    let ring = ring.map_err(|error| problem("no_key", format!("{KEYS}: {error}")))?;
    Ok(Some((ring, KeyPlace::Elsewhere)))
}

fn directory(storage: &Storage) -> Result<PathBuf, Vec<Problem>> {
    if let Some(directory) = &storage.directory {
        return Ok(PathBuf::from(directory));
    }
    if let Some(directory) = env::var_os(DIRECTORY).filter(|path| !path.is_empty()) {
        return Ok(directory.into());
    }
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/portway".into());
    }
    let home = |name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let data = home("XDG_DATA_HOME").or_else(|| Some(home("HOME")?.join(".local/share")));
    let data = data.ok_or_else(|| {
        vec![
            Problem::new("no_directory", "there is no place for the store")
                .at("store.directory")
                .hint(format!("set it, or {DIRECTORY}, or store.kind: memory")),
        ]
    })?;
    Ok(data.join("portway"))
}

fn problem(code: &'static str, message: String) -> Vec<Problem> {
    vec![Problem::new(code, message)]
}
