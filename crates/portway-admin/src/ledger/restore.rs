//! A backup in the place of everything there is.

use std::{fmt, io::Cursor, sync::Arc};

use bytes::Bytes;
use portway_core::{Intent, Part};
use portway_store::{
    Memory,
    backup::{Archive, Replacement},
};

use super::{Error, Ledger, News, State, change::applied, load};

/// A backup that was read where it does no harm.
pub struct Backup {
    bytes: Bytes,
    aside: Memory,
    state: State,
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
        let state = load::load(&aside, &self.ring(), &self.0.catalog).await?;
        Ok(Backup { bytes, aside, state })
    }

    /// Restores a backup, if the gateway can serve what is in it. Answers the number of its last
    /// change. The tokens of the backup are good from then on, and no others.
    ///
    /// # Errors
    /// The gateway cannot serve it, or the store failed. Then everything is as before.
    pub async fn restore(&self, backup: Backup, dry_run: bool) -> Result<u64, Error> {
        let _writing = self.0.writing.lock().await;
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
