//! The admin API of a gateway that a program serves: its store, its keys, its first token.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use portway_admin::{
    Api, KeptTokens, Setup,
    access::{AuditLog, Guard, NewToken, Surroundings, SystemClock, Threads, TokenDesk},
    ledger::Ledger,
};
use portway_config::{Catalog, Config, Origin, Problem, Resource, Resources, Storage, StorageKind};
use portway_core::{Changes, Part, source::Vault};
use portway_store::{
    Embedded, Memory,
    backup::Archive,
    seal::{Found, KeyRing, load_or_make},
};

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
    pub(crate) api: Api,
    pub(crate) ledger: Ledger,
    /// A token for somebody who has none yet. It is shown once.
    pub(crate) first: Option<NewToken>,
}

/// Opens the store and makes the API.
pub(crate) async fn open(
    config: &Config,
    catalog: &Catalog,
    changes: Changes,
    version: &'static str,
) -> Result<Opened, Vec<Problem>> {
    let (store, ring) = keep(&config.store).await?;
    let history = usize::try_from(config.store.history).unwrap_or(usize::MAX);
    let ledger = Ledger::open(Arc::clone(&store), ring, catalog, changes, history).await;
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
    let setup = Setup { ledger: ledger.clone(), guard, tokens: desk, audit, version };
    Ok(Opened { api: Api::new(setup), ledger, first })
}

/// Puts the secrets of the store into the vault, where files find them. The future does so again
/// whenever something else is served.
pub(crate) fn lend(
    ledger: &Ledger,
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
    lend(&ledger.state().resources);
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

/// The store and the keys of its secrets.
async fn keep(storage: &Storage) -> Result<(Arc<dyn Archive>, KeyRing), Vec<Problem>> {
    if storage.kind == StorageKind::Memory {
        let ring = match keys_of_environment()? {
            Some(ring) => ring,
            None => KeyRing::generate().map_err(|error| problem("no_key", error.to_string()))?,
        };
        return Ok((Arc::new(Memory::new()), ring));
    }
    let directory = directory(storage)?;
    // The store is opened on a thread that may wait for a disk.
    let opened = tokio::task::spawn_blocking(move || {
        let store = Embedded::open(&directory, portway_store::Options::default())
            .map_err(|error| problem("store_unavailable", error.to_string()))?;
        let ring = match keys_of_environment()? {
            Some(ring) => ring,
            None => key_file(&directory.join(KEY_FILE))?,
        };
        tracing::info!(store = %store.file().display(), "store opened");
        Ok((Arc::new(store) as Arc<dyn Archive>, ring))
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

fn keys_of_environment() -> Result<Option<KeyRing>, Vec<Problem>> {
    let Some(text) = env::var(KEYS).ok().filter(|text| !text.is_empty()) else { return Ok(None) };
    let ring = KeyRing::parse(&text);
    ring.map(Some).map_err(|error| problem("no_key", format!("{KEYS}: {error}")))
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
