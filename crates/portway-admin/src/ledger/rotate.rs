//! A new key for secrets in the place of the one there is.
//!
//! The new key is in its file before it seals anything, and the old ones are there until nothing
//! needs them: whenever the process ends, the next one opens everything.

use std::path::PathBuf;

use bytes::Bytes;
use portway_store::{
    Entry, Expect, List, Transaction, pieces,
    seal::{KeyRing, save},
};
use tokio::task::spawn_blocking;

use super::{Error, Ledger, Record, form, keys};

/// How many entries are looked at at a time.
const PAGE: usize = 500;

/// Where the keys of secrets are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a file that is the gateway's to write.
    File(PathBuf),
    /// Nowhere: they end with the process.
    Memory,
    /// Somebody else gives them.
    Elsewhere,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that seals from now on.
    pub key_id: String,
    /// How many secrets were sealed with it.
    pub resealed: usize,
}

impl Ledger {
    /// Makes a new key, seals everything with it and forgets the old ones. Backups that were made
    /// before need the old ones.
    ///
    /// # Errors
    /// The keys are somebody else's to change, or they or what they seal cannot be written. Then
    /// everything can still be opened, and it can be tried again.
    pub async fn rotate_key(&self) -> Result<Rotated, Error> {
        let _writing = self.0.writing.lock().await;
        let ring = self.add_key().await?;
        let resealed = self.seal_anew(&ring).await?;
        self.keep_keys(ring.active_alone()).await?;
        Ok(Rotated { key_id: ring.active().to_string(), resealed })
    }

    /// The first step: from now on the new key seals, and the old ones open.
    async fn add_key(&self) -> Result<KeyRing, Error> {
        if self.0.place == KeyPlace::Elsewhere {
            return Err(Error::KeyElsewhere);
        }
        let ring = self.ring().rotated().map_err(unsealed)?;
        self.keep_keys(ring.clone()).await?;
        Ok(ring)
    }

    /// Writes the keys down, and uses them from then on.
    async fn keep_keys(&self, ring: KeyRing) -> Result<(), Error> {
        if let KeyPlace::File(path) = self.0.place.clone() {
            let ring = ring.clone();
            // On a thread that may wait for a disk.
            let saved = spawn_blocking(move || save(&path, &ring)).await;
            let saved = saved.map_err(|error| Error::Key(error.to_string()))?;
            saved.map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                Error::Key(format!("{error}: {}", cause.unwrap_or_default()))
            })?;
        }
        self.set_ring(ring);
        Ok(())
    }

    /// The second step: seals what other keys have sealed. Says how many secrets.
    async fn seal_anew(&self, ring: &KeyRing) -> Result<usize, Error> {
        let resources = self.resources_anew(ring).await?;
        Ok(resources + self.history_anew(ring).await?)
    }

    async fn resources_anew(&self, ring: &KeyRing) -> Result<usize, Error> {
        let (mut count, mut list) = (0, Some(List::of(&keys::resources()).limit(PAGE)));
        while let Some(page) = list.take() {
            let found = self.0.store.list(page.clone()).await?;
            let mut batch = Batch::of(self);
            for entry in &found.entries {
                let id = form::id(entry)?;
                let mut kept = form::kept(entry, &id)?;
                let resealed = form::reseal(&self.0.catalog, ring, &id, &mut kept.spec);
                let resealed = resealed.map_err(unsealed)?;
                if resealed > 0 {
                    let value = serde_json::to_vec(&kept).map_err(unwritten)?;
                    batch.put(&[entry], [(entry.key.clone(), value.into())]).await?;
                    count += resealed;
                }
            }
            batch.commit().await?;
            let last = found.entries.last().filter(|_| found.more);
            list = last.map(|last| page.after(&last.key));
        }
        Ok(count)
    }

    async fn history_anew(&self, ring: &KeyRing) -> Result<usize, Error> {
        let (mut count, mut batch) = (0, Batch::of(self));
        let mut number = self.state().revision;
        while number > 0 {
            let folder = keys::record(number);
            let entries = self.0.store.list(List::of(&folder)).await?.entries;
            if entries.is_empty() {
                break;
            }
            let mut record = Record::read(number, &entries)?;
            let mut resealed = 0;
            for change in &mut record.changes {
                for spec in [&mut change.before, &mut change.after].into_iter().flatten() {
                    let more = form::reseal(&self.0.catalog, ring, &change.id, spec);
                    resealed += more.map_err(unsealed)?;
                }
            }
            if resealed > 0 {
                let value = Bytes::from(serde_json::to_vec(&record).map_err(unwritten)?);
                let parts = pieces::split(&folder, &value, &self.0.store.limits());
                batch.put(&entries.iter().collect::<Vec<_>>(), parts.map_err(unwritten)?).await?;
                count += resealed;
            }
            number -= 1;
        }
        batch.commit().await?;
        Ok(count)
    }
}

/// Writes that are made some at a time: what a store takes at once is limited.
struct Batch<'a> {
    ledger: &'a Ledger,
    transaction: Transaction,
}

impl<'a> Batch<'a> {
    fn of(ledger: &'a Ledger) -> Self {
        Self { ledger, transaction: Transaction::new() }
    }

    /// Puts values in the place of entries that belong together.
    async fn put(
        &mut self,
        known: &[&Entry],
        values: impl IntoIterator<Item = (portway_store::Key, Bytes)>,
    ) -> Result<(), Error> {
        let limits = self.ledger.0.store.limits();
        let operations = self.transaction.operations().len();
        if operations > limits.operations / 4 || self.transaction.size() > limits.transaction / 4 {
            self.commit().await?;
        }
        let mut transaction = std::mem::take(&mut self.transaction);
        let mut left: Vec<_> = known.iter().map(|entry| entry.key.clone()).collect();
        for entry in known {
            transaction = transaction.expect(&entry.key, Expect::ChangedAt(entry.changed));
        }
        for (key, value) in values {
            left.retain(|other| *other != key);
            transaction = transaction.put(&key, value);
        }
        self.transaction = left.iter().fold(transaction, Transaction::delete);
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Error> {
        let transaction = std::mem::take(&mut self.transaction);
        if !transaction.operations().is_empty() {
            self.ledger.0.store.commit(transaction).await?;
        }
        Ok(())
    }
}

fn unsealed(error: portway_store::seal::SealError) -> Error {
    Error::Key(error.to_string())
}

fn unwritten(error: impl std::fmt::Display) -> Error {
    Error::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use portway_config::{Catalog, ResourceId};
    use portway_core::Changes;
    use portway_store::{
        Memory, Store as _,
        backup::Archive,
        seal::{Found, load_or_make},
    };
    use serde_json::json;

    use super::*;
    use crate::{
        access::Moment,
        ledger::{Action, RecordedChange},
    };

    const SECRET: &str = "a secret";

    /// A store with secrets and a history, sealed with the key in a file.
    async fn written(file: &Path) -> Arc<Memory> {
        let (catalog, (ring, _)) = (Catalog::default(), load_or_make(file).unwrap());
        let (store, time) = (Arc::new(Memory::new()), Moment::from_millis(0));
        let mut transaction = Transaction::new().put(&keys::revision(), "3".as_bytes().to_vec());
        for number in 1..=3 {
            let id: ResourceId = format!("secret/default/s{number}").parse().unwrap();
            let spec = json!({ "value": SECRET });
            let change = RecordedChange {
                id: id.clone(),
                action: Action::Create,
                before: None,
                after: Some(spec.clone()),
            };
            let author = "me".to_owned();
            let record =
                Record { revision: number, time, author, message: None, changes: vec![change] };
            let record = serde_json::to_vec(&record.sealed(&catalog, &ring).unwrap()).unwrap();
            let spec = form::seal(&catalog, &ring, &id, &spec).unwrap();
            let kept = form::Kept { spec, revision: number, created: time, updated: time };
            let piece = keys::record(number).key("00000000").unwrap();
            transaction = transaction
                .put(&keys::resource(&id), serde_json::to_vec(&kept).unwrap())
                .put(&piece, record);
        }
        store.commit(transaction).await.unwrap();
        store
    }

    /// A process that begins with the store and the file as they are.
    async fn begun(store: &Arc<Memory>, file: &Path) -> Ledger {
        let (ring, found) = load_or_make(file).unwrap();
        assert_eq!(found, Found::Kept { exposed: false });
        let (changes, _) = Changes::new(&Catalog::default());
        let place = KeyPlace::File(file.to_owned());
        let archive: Arc<dyn Archive> = store.clone();
        Ledger::open(archive, (ring, place), &Catalog::default(), changes, 10).await.unwrap()
    }

    /// Every secret can be read, and so can the history.
    async fn reads(ledger: &Ledger) {
        assert_eq!(ledger.state().resources.len(), 3);
        for number in 1..=3 {
            let record = ledger.record(number).await.unwrap();
            assert_eq!(record.changes[0].after, Some(json!({ "value": SECRET })));
        }
    }

    #[tokio::test]
    async fn a_process_that_ends_between_two_steps_loses_nothing() {
        for steps in 0..=3 {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("secrets.key");
            let store = written(&file).await;
            let (old, _) = load_or_make(&file).unwrap();
            let ledger = begun(&store, &file).await;
            if steps > 0 {
                let ring = ledger.add_key().await.unwrap();
                if steps > 1 {
                    assert_eq!(ledger.resources_anew(&ring).await.unwrap(), 3);
                }
                if steps > 2 {
                    assert_eq!(ledger.history_anew(&ring).await.unwrap(), 3);
                }
            }
            reads(&ledger).await;
            drop(ledger);
            let ledger = begun(&store, &file).await;
            reads(&ledger).await;
            assert_eq!(ledger.rotate_key().await.unwrap().resealed, 6);
            reads(&ledger).await;
            let (new, _) = load_or_make(&file).unwrap();
            assert_eq!(new.ids().count(), 1);
            assert!(old.ids().all(|id| id != new.active()));
            reads(&begun(&store, &file).await).await;
        }
    }

    #[tokio::test]
    async fn keys_of_somebody_else_stay() {
        let (changes, _) = Changes::new(&Catalog::default());
        let keys = (KeyRing::generate().unwrap(), KeyPlace::Elsewhere);
        let store: Arc<dyn Archive> = Arc::new(Memory::new());
        let ledger = Ledger::open(store, keys, &Catalog::default(), changes, 10).await.unwrap();
        assert!(matches!(ledger.rotate_key().await, Err(Error::KeyElsewhere)));
    }
}
