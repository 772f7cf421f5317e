//! A backup in the place of everything there is.

use std::{fmt, io::Cursor, sync::Arc};

use bytes::Bytes;
use portway_core::{Intent, Part};
use portway_store::{
    Memory,
    backup::{Archive, Replacement},
    seal::KeyRing,
};

use super::{Error, Ledger, News, State, change::applied, load};

/// A backup that was read where it does no harm.
pub struct Backup {
    bytes: Bytes,
    aside: Memory,
    state: State,
    /// The keys it was read with.
    ring: Arc<KeyRing>,
}

impl Backup {
    /// What is in it.
    #[must_use]
    pub fn store(&self) -> &dyn Archive {
        &self.aside
    }

    /// What was written when it was made.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl Ledger {
    /// Reads a backup.
    ///
    /// # Errors
    /// It is no backup, or its secrets cannot be opened.
    pub async fn read_backup(&self, bytes: Bytes) -> Result<Backup, Error> {
        let aside = Memory::new();
        aside.replace(Replacement::new(Cursor::new(bytes.clone()))).await?;
        let ring = self.ring();
        let state = load::load(&aside, &ring, &self.0.catalog).await?;
        Ok(Backup { bytes, aside, state, ring })
    }

    /// Restores a backup, if the gateway can serve what is in it. Answers the number of its last
    /// change. The tokens of the backup are good from then on, and no others.
    ///
    /// # Errors
    /// The gateway cannot serve it, its secrets cannot be opened any more, or the store failed. Then
    /// everything is as before.
    pub async fn restore(&self, backup: Backup, dry_run: bool) -> Result<u64, Error> {
        let _writing = self.0.writing.lock().await;
        // Keys that were forgotten meanwhile would leave nothing but what nobody can open.
        if !Arc::ptr_eq(&backup.ring, &self.ring()) {
            load::load(&backup.aside, &self.ring(), &self.0.catalog).await?;
        }
        let Backup { bytes, state, .. } = backup;
        let part = Part::Stored(Arc::clone(&state.resources));
        let outcome = if dry_run {
            self.propose(state.revision, part, Intent::DryRun).await
        } else {
            let store = Arc::clone(&self.0.store);
            let write =
                async move { store.replace(Replacement::new(Cursor::new(bytes))).await.map(drop) };
            match self.commit(state.revision, part, write).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    self.look_again(&error, true).await;
                    return Err(error);
                }
            }
        };
        applied(outcome, None)?;
        let revision = state.revision;
        if !dry_run {
            let restored = self.state().restored + 1;
            self.set(State { restored, ..state });
            // Nobody may be watching.
            let _ = self.0.told.send(News::Restored(revision));
        }
        Ok(revision)
    }
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup").field("revision", &self.state.revision).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use portway_config::{Catalog, ResourceId};
    use portway_core::Changes;
    use portway_store::{Store as _, Transaction, backup::backup};
    use serde_json::json;

    use super::*;
    use crate::{
        access::Moment,
        ledger::{KeyPlace, form, keys},
    };

    #[tokio::test]
    async fn a_backup_whose_key_is_forgotten_meanwhile_is_refused() {
        let (catalog, ring) = (Catalog::default(), KeyRing::generate().unwrap());
        let (store, time) = (Arc::new(Memory::new()), Moment::from_millis(0));
        let id: ResourceId = "secret/default/s".parse().unwrap();
        let spec = form::seal(&catalog, &ring, &id, &json!({ "value": "a secret" })).unwrap();
        let kept = form::Kept { spec, revision: 1, created: time, updated: time };
        let transaction = Transaction::new()
            .put(&keys::revision(), "1".as_bytes().to_vec())
            .put(&keys::resource(&id), serde_json::to_vec(&kept).unwrap());
        store.commit(transaction).await.unwrap();
        let pieces: Vec<_> = backup(&*store).await.unwrap().map(Result::unwrap).collect().await;
        let (changes, _) = Changes::new(&catalog);
        let keys = (ring, KeyPlace::Memory);
        let ledger = Ledger::open(store, keys, &catalog, changes, 10).await.unwrap();

        let read = ledger.read_backup(pieces.concat().into()).await.unwrap();
        assert_eq!(ledger.rotate_key().await.unwrap().resealed, 1);
        assert!(matches!(ledger.restore(read, false).await, Err(Error::Lost(_))));
    }
}
