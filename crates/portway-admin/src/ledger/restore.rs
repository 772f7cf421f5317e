//! A backup in the place of everything there is.

use std::{io::Cursor, sync::Arc};

use bytes::Bytes;
use portway_core::{Intent, Part};
use portway_store::{
    Memory,
    backup::{Archive, Replacement},
};

use super::{Error, Ledger, change::applied, load};

impl Ledger {
    /// Restores a backup, if the gateway can serve what is in it. Answers the number of its last
    /// change. The tokens of the backup are good from then on, and no others.
    ///
    /// # Errors
    /// It is no backup, its secrets cannot be opened, the gateway cannot serve it, or the store
    /// failed. Then everything is as before.
    pub async fn restore(&self, backup: Bytes, dry_run: bool) -> Result<u64, Error> {
        let _writing = self.0.writing.lock().await;
        // What is in it is looked at where it does no harm.
        let aside = Memory::new();
        aside.replace(Replacement::new(Cursor::new(backup.clone()))).await?;
        let state = load::load(&aside, &self.ring(), &self.0.catalog).await?;
        let part = Part::Stored(Arc::clone(&state.resources));
        let outcome = if dry_run {
            self.propose(state.revision, part, Intent::DryRun).await
        } else {
            let store = Arc::clone(&self.0.store);
            let write =
                async move { store.replace(Replacement::new(Cursor::new(backup))).await.map(drop) };
            self.commit(state.revision, part, write).await?
        };
        applied(outcome, None)?;
        let revision = state.revision;
        if !dry_run {
            self.set(state);
        }
        Ok(revision)
    }
}
