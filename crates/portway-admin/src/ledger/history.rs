//! What was changed, by whom, and what was there before.

use std::collections::BTreeMap;

use portway_config::{Catalog, Kind, Problem, ResourceId, resource};
use portway_store::{
    Entry, List,
    seal::{KeyRing, SealError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, Change, Edit, Error, Ledger, State, form, keys, load, lookup::Secrets};
use crate::access::Moment;

/// A change that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its number.
    pub revision: u64,
    /// When it was made.
    pub time: Moment,
    /// Who made it.
    pub author: String,
    /// What they said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What was changed.
    pub changes: Vec<RecordedChange>,
}

/// What was done with one resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedChange {
    /// Which one.
    #[serde(with = "as_text")]
    pub id: ResourceId,
    /// What was done.
    pub action: Action,
    /// What it said, with its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it said afterwards, with its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl RecordedChange {
    pub(super) fn of(change: &Change) -> Self {
        let Change { id, action, before, after } = change.clone();
        Self { id, action, before, after }
    }
}

impl Record {
    /// What the store has of the change of a number, sealed.
    pub(super) fn read(number: u64, pieces: &[Entry]) -> Result<Self, Error> {
        let whole: Vec<u8> = pieces.iter().flat_map(|piece| piece.value.iter().copied()).collect();
        serde_json::from_slice(&whole)
            .map_err(|error| Error::Unreadable(format!("revision {number}: {error}")))
    }

    /// As the store holds it.
    pub(super) fn sealed(&self, catalog: &Catalog, ring: &KeyRing) -> Result<Self, SealError> {
        let mut sealed = self.clone();
        for change in &mut sealed.changes {
            for spec in [&mut change.before, &mut change.after].into_iter().flatten() {
                *spec = form::seal(catalog, ring, &change.id, spec)?;
            }
        }
        Ok(sealed)
    }
}

/// Some changes, the last one first.
#[derive(Debug)]
pub struct Records {
    /// The changes.
    pub records: Vec<Record>,
    /// Whether there are older ones.
    pub more: bool,
}

impl Ledger {
    /// Changes before the one of a number, or the last ones.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn history(&self, before: Option<u64>, limit: usize) -> Result<Records, Error> {
        let newest = before.map_or(self.state().revision, |before| before.saturating_sub(1));
        let mut records = Vec::new();
        let mut number = newest;
        while number > 0 && records.len() < limit {
            match self.record(number).await {
                Ok(record) => records.push(record),
                Err(Error::NoRevision(_)) => break,
                Err(error) => return Err(error),
            }
            number -= 1;
        }
        let more = number > 0 && records.len() == limit && self.record(number).await.is_ok();
        Ok(Records { records, more })
    }

    /// The change of a number.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub async fn record(&self, number: u64) -> Result<Record, Error> {
        loop {
            let ring = self.ring();
            let pieces = self.0.store.list(List::of(&keys::record(number))).await?.entries;
            if pieces.is_empty() {
                return Err(Error::NoRevision(number));
            }
            let mut record = Record::read(number, &pieces)?;
            let mut is_open = true;
            for change in &mut record.changes {
                for spec in [&mut change.before, &mut change.after].into_iter().flatten() {
                    is_open &= form::open(&self.0.catalog, &ring, &change.id, spec).is_ok();
                }
            }
            // What a key that was thrown away had sealed stays shut, unless the keys have changed
            // meanwhile.
            if is_open || self.ring().active() == ring.active() {
                return Ok(record);
            }
        }
    }

    /// The number of the oldest change that is kept; `None` when there is none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn oldest(&self) -> Result<Option<u64>, Error> {
        let first = self.0.store.list(List::of(&keys::history()).limit(1)).await?.entries;
        Ok(first.first().and_then(|piece| keys::number(&piece.key)))
    }

    /// What every resource said right after the change of a number, where that is not what it
    /// says in `state`.
    ///
    /// # Errors
    /// The history does not reach back so far.
    pub async fn at(
        &self,
        number: u64,
        state: &State,
    ) -> Result<BTreeMap<ResourceId, Option<Value>>, Error> {
        if number > state.revision {
            return Err(Error::NoRevision(number));
        }
        let mut then = BTreeMap::new();
        for later in (number + 1..=state.revision).rev() {
            for change in self.record(later).await?.changes {
                then.insert(change.id, change.before);
            }
        }
        Ok(then)
    }

    /// The edits that lead from `state` back to what was written right after the change of a
    /// number. They are good for as long as nothing else is written: see [`Request::base`](super::Request::base).
    ///
    /// # Errors
    /// The history does not reach back so far, or what was written then means nothing now.
    pub async fn back_to(&self, number: u64, state: &State) -> Result<Vec<Edit>, Error> {
        let then = self.at(number, state).await?;
        let (mut edits, mut problems) = (Vec::new(), Vec::<Problem>::new());
        let mut lookup = Secrets::of(&state.resources);
        // Secrets first: the others may refer to them.
        let mut then: Vec<_> = then.into_iter().collect();
        then.sort_by_key(|(id, _)| id.kind != Kind::Secret);
        for (id, spec) in then {
            match spec {
                None if state.resources.get(&id).is_some() => edits.push(Edit::Delete(id)),
                None => {}
                Some(spec) => {
                    let shut = form::shut(&self.0.catalog, &id, &spec);
                    if !shut.is_empty() {
                        return Err(Error::Lost(shut));
                    }
                    match resource(&spec.to_string(), "history.json", &id, &lookup, &self.0.catalog)
                    {
                        Ok(written) => {
                            lookup.add(&written.resource);
                            edits.push(Edit::Put(Box::new(written)));
                        }
                        Err(more) => {
                            problems.extend(more.into_iter().map(|one| load::within(&id, one)));
                        }
                    }
                }
            }
        }
        if problems.is_empty() { Ok(edits) } else { Err(Error::Wrong(problems)) }
    }
}

/// Ids as text.
mod as_text {
    use portway_config::ResourceId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &ResourceId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ResourceId, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|()| D::Error::custom(format!("{text:?} names no resource")))
    }
}
