//! What the API has written: resources, and how they came to be what they are.
//!
//! The ledger keeps resources in a store as they were written, sealed where they are secret, and
//! with every change who made it, when, and what was there before. A change is proposed to the
//! gateway, which checks it against everything else; only what the gateway would serve is
//! committed, and it is served when the ledger answers.
//!
//! It knows nothing of HTTP, and nothing of who may do what.

mod change;
mod error;
mod form;
mod history;
pub(crate) mod keys;
mod load;
mod lookup;
mod restore;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use portway_config::{Catalog, Origin, ResourceId, Resources};
use portway_core::{Changes, Part};
use portway_store::{backup::Archive, seal::KeyRing};
use tokio::sync::{Mutex, broadcast};

pub use change::{Action, Change, Changed, Condition, Edit, Request};
pub use error::Error;
pub(crate) use form::{masked, unmask};
pub use history::{Record, RecordedChange, Records};
pub(crate) use lookup::Secrets;

use crate::access::Moment;

/// How many revisions somebody who watches may be behind.
const WATCHED: usize = 256;

/// What the API has written. Clones are the same ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    store: Arc<dyn Archive>,
    ring: RwLock<Arc<KeyRing>>,
    catalog: Catalog,
    changes: Changes,
    history: usize,
    /// One change at a time.
    writing: Mutex<()>,
    state: RwLock<Arc<State>>,
    told: broadcast::Sender<Arc<Record>>,
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
    /// The ledger in `store`, whose secrets are sealed by `ring`. The last `history` changes can be
    /// looked at and undone.
    ///
    /// # Errors
    /// The store cannot be read, or what is in it cannot.
    pub async fn open(
        store: Arc<dyn Archive>,
        ring: KeyRing,
        catalog: &Catalog,
        changes: Changes,
        history: usize,
    ) -> Result<Self, Error> {
        let state = load::load(&*store, &ring, catalog).await?;
        Ok(Self(Arc::new(Inner {
            store,
            ring: RwLock::new(Arc::new(ring)),
            catalog: catalog.clone(),
            changes,
            history,
            writing: Mutex::default(),
            state: RwLock::new(Arc::new(state)),
            told: broadcast::channel(WATCHED).0,
        })))
    }

    /// What is written now.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.0.state.read().unwrap_or_else(PoisonError::into_inner))
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

    /// Hears of every change from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Arc<Record>> {
        self.0.told.subscribe()
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.0.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, state: State) {
        *self.0.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("revision", &self.state().revision).finish_non_exhaustive()
    }
}
