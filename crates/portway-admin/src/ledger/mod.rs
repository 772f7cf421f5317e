//! What the API has written: resources, and how they came to be what they are.
//!
//! The ledger keeps resources in a store as they were written, sealed where they are secret, and
//! with every change who made it, when, and what was there before. A change is proposed to the
//! gateway, which checks it against everything else; only what the gateway would serve is
//! committed, and it is served when the ledger answers.
//!
//! It knows nothing of HTTP, and nothing of who may do what.

mod agree;
mod change;
mod error;
mod form;
mod history;
pub(crate) mod keys;
mod load;
mod lookup;
mod restore;
mod rotate;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError},
};

use portway_config::{Catalog, Origin, ResourceId, Resources};
use portway_core::{Changes, Part};
use portway_store::{Location, backup::Archive, seal::KeyRing};
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard, broadcast};

pub use change::{Action, Change, Changed, Condition, Edit, Request};
pub use error::Error;
pub(crate) use form::masked;
pub use history::{Record, RecordedChange, Records};
pub(crate) use lookup::Secrets;
pub use restore::Backup;
pub use rotate::{KeyPlace, Rotated};

use crate::access::Moment;

/// How many revisions somebody who watches may be behind.
const WATCHED: usize = 256;

/// What the API has written. Clones are the same ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    store: Arc<dyn Archive>,
    ring: std::sync::RwLock<Arc<KeyRing>>,
    /// Where the keys are kept.
    place: KeyPlace,
    catalog: Catalog,
    changes: Changes,
    history: usize,
    /// One change at a time.
    writing: Mutex<()>,
    /// Who changes collections waits for those who write documents, and they for them.
    collections: RwLock<()>,
    state: std::sync::RwLock<Arc<State>>,
    told: broadcast::Sender<News>,
}

/// What those who watch hear.
#[derive(Clone, Debug)]
pub enum News {
    /// A change was made.
    Changed(Arc<Record>),
    /// A backup took the place of everything. The number of its last change, which may lie before
    /// those that were told.
    Restored(u64),
}

/// What is written at one moment.
#[derive(Clone, Default)]
pub struct State {
    /// The number of the last change.
    pub revision: u64,
    /// The resources.
    pub resources: Arc<Resources>,
    /// When each of them was made and changed.
    pub stamps: Arc<BTreeMap<ResourceId, Stamp>>,
    /// How many backups were restored by this process. Numbers of changes are of one history as
    /// long as it is the same.
    pub restored: u64,
}

/// When a resource was made and changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The number of the last change of it.
    pub revision: u64,
    /// When it was made.
    pub created: Moment,
    /// When it was changed.
    pub updated: Moment,
}

impl Ledger {
    /// The ledger in `store`, whose secrets are sealed by keys that are kept somewhere. The last `history` changes can be
    /// looked at and undone.
    ///
    /// # Errors
    /// The store cannot be read, or what is in it cannot.
    pub async fn open(
        store: Arc<dyn Archive>,
        (ring, place): (KeyRing, KeyPlace),
        catalog: &Catalog,
        changes: Changes,
        history: usize,
    ) -> Result<Self, Error> {
        let state = load::load(&*store, &ring, catalog).await?;
        Ok(Self(Arc::new(Inner {
            store,
            ring: std::sync::RwLock::new(Arc::new(ring)),
            place,
            catalog: catalog.clone(),
            changes,
            history,
            writing: Mutex::default(),
            collections: RwLock::default(),
            state: std::sync::RwLock::new(Arc::new(state)),
            told: broadcast::channel(WATCHED).0,
        })))
    }

    /// What is written now.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.0.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where it keeps what is written; `None` while the store does not answer.
    pub async fn location(&self) -> Option<Location> {
        self.0.store.location().await.ok()
    }

    /// Its part of the configuration.
    #[must_use]
    pub fn part(&self) -> (Origin, Part) {
        (Origin::store(), Part::Stored(Arc::clone(&self.state().resources)))
    }

    /// What configurations may say.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// The way to the gateway.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// Where it is kept.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Archive> {
        &self.0.store
    }

    /// Collections stay as they are while documents are written.
    pub(crate) async fn writes_documents(&self) -> RwLockReadGuard<'_, ()> {
        self.0.collections.read().await
    }

    /// Documents stay as they are while collections are changed.
    pub(crate) async fn changes_collections(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.collections.write().await
    }

    /// Hears of every change from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<News> {
        self.0.told.subscribe()
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.0.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_ring(&self, ring: KeyRing) {
        *self.0.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    fn set(&self, state: State) -> Arc<State> {
        let state = Arc::new(state);
        *self.0.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&state);
        state
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("revision", &self.state().revision).finish_non_exhaustive()
    }
}
