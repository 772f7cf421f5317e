//! One change: proposed to the gateway, committed, served.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use portway_config::{
    Kind, Origin, Outcome, Problem, ResourceId, Resources, Written, resource, value::MASKED,
};
use portway_core::{Intent, Part};
use portway_store::{self as store, Expect, Transaction, pieces};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    Error, Ledger, News, Record, RecordedChange, Stamp, State, form, keys, load, lookup::Secrets,
};
use crate::access::Moment;

/// One step of a change.
#[derive(Clone, Debug)]
pub enum Edit {
    /// This is what it says from now on.
    Put(Box<Written>),
    /// It is gone.
    Delete(ResourceId),
}

/// What must be true of a resource for a change to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its last change was this one.
    At(u64),
    /// It exists.
    Exists,
    /// It does not exist.
    Absent,
}

/// A change that somebody wants.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What to do, all of it or nothing.
    pub edits: Vec<Edit>,
    /// What must be true.
    pub conditions: Vec<(ResourceId, Condition)>,
    /// The number of the last change that whoever asks has seen, where the edits are made for it:
    /// nothing may have been written since.
    pub base: Option<u64>,
    /// Who wants it.
    pub author: String,
    /// What they say about it.
    pub message: Option<String>,
    /// Only says what would come of it.
    pub dry_run: bool,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The number of the last change, which is this one if anything changed.
    pub revision: u64,
    /// What was done with each resource.
    pub changes: Vec<Change>,
    /// What is worth saying.
    pub warnings: Vec<Problem>,
    /// What was written before it.
    pub before: Arc<State>,
    /// What was written right after it: the same as before, if nothing changed or it was only to
    /// be said what would.
    pub after: Arc<State>,
}

/// What was done with a resource.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which one.
    pub id: ResourceId,
    /// What was done.
    pub action: Action,
    /// What it said, with its secrets.
    pub before: Option<Value>,
    /// What it says, with its secrets.
    pub after: Option<Value>,
}

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Create,
    /// It says something else.
    Update,
    /// It says the same.
    Unchanged,
    /// It is gone.
    Delete,
}

impl Changed {
    /// Whether anything is different from before.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.changes.iter().any(|change| change.action != Action::Unchanged)
    }
}

impl Ledger {
    /// Makes a change. When it returns, every core serves it, and it is on the disk.
    ///
    /// # Errors
    /// It was not made.
    pub async fn change(&self, mut request: Request) -> Result<Changed, Error> {
        let _writing = self.0.writing.lock().await;
        let state = self.state();
        self.holds(&state, &request)?;
        self.unmask(&state, &mut request.edits)?;
        let Draft { resources, changes } = self.draft(&state, request.edits)?;
        let mut changed = Changed {
            revision: state.revision,
            changes,
            warnings: Vec::new(),
            before: Arc::clone(&state),
            after: Arc::clone(&state),
        };
        if !changed.is_change() {
            return Ok(changed);
        }
        let deleted = only_deletion(&changed.changes);
        let part = Part::Stored(Arc::clone(&resources));
        if request.dry_run {
            let outcome = self.propose(state.revision, part, Intent::DryRun).await;
            changed.warnings = applied(outcome, deleted)?;
            return Ok(changed);
        }
        let record = Record {
            revision: state.revision + 1,
            time: Moment::from(std::time::SystemTime::now()),
            author: request.author,
            message: request.message,
            changes: changed
                .changes
                .iter()
                .filter(|one| one.action != Action::Unchanged)
                .map(RecordedChange::of)
                .collect(),
        };
        let next = self.next(&state, resources, &record);
        let outcome = match self.write(&state, &next, &record, part).await {
            Ok(outcome) => outcome,
            Err(error) => {
                self.look_again(&error, false).await;
                return Err(error);
            }
        };
        changed.warnings = applied(outcome, deleted)?;
        changed.revision = record.revision;
        changed.after = self.set(next);
        // Nobody may be watching.
        let _ = self.0.told.send(News::Changed(Arc::new(record)));
        Ok(changed)
    }

    /// Proposes what comes after a change, and writes both when it would be served.
    async fn write(
        &self,
        state: &State,
        next: &State,
        record: &Record,
        part: Part,
    ) -> Result<Outcome, Error> {
        let transaction = self.transaction(state, next, record).await?;
        let store = Arc::clone(&self.0.store);
        let write = async move { store.commit(transaction).await.map(drop) };
        self.commit(record.revision, part, write).await
    }

    /// Proposes a part that is served if it can be written. The outer error is the store's.
    pub(super) async fn commit(
        &self,
        number: u64,
        part: Part,
        write: impl Future<Output = Result<(), store::Error>> + Send + 'static,
    ) -> Result<Outcome, Error> {
        let (tell, told) = oneshot::channel();
        let commit = Intent::Commit(Box::new(move || {
            Box::pin(async move {
                let Err(error) = write.await else { return Ok(()) };
                let problem = Problem::new("not_stored", error.to_string());
                // Whoever asked waits for it.
                let _ = tell.send(error);
                Err(vec![problem])
            })
        }));
        let outcome = self.propose(number, part, commit).await;
        // Without an error nothing was sent.
        told.await.map_or(Ok(outcome), |error| Err(error.into()))
    }

    pub(super) async fn propose(&self, number: u64, part: Part, intent: Intent) -> Outcome {
        self.0.changes.propose(Origin::store(), number, Ok(part), intent).await
    }

    /// Whether the conditions hold, and everything is the store's to change.
    fn holds(&self, state: &State, request: &Request) -> Result<(), Error> {
        if request.base.is_some_and(|base| base != state.revision) {
            return Err(Error::Conflict);
        }
        for (id, condition) in &request.conditions {
            let found = state.stamps.get(id).map(|stamp| stamp.revision);
            let holds = match condition {
                Condition::At(revision) => found == Some(*revision),
                Condition::Exists => found.is_some(),
                Condition::Absent => found.is_none(),
            };
            if !holds {
                return Err(Error::Precondition(id.clone(), found));
            }
        }
        for edit in &request.edits {
            let id = edit.id();
            if state.resources.get(id).is_none()
                && let Some(owner) = self.owner(id)
            {
                return Err(Error::OwnedElsewhere(id.clone(), owner));
            }
        }
        Ok(())
    }

    /// Who owns a resource that is not the store's.
    #[must_use]
    pub fn owner(&self, id: &ResourceId) -> Option<Origin> {
        let running = self.0.changes.running()?;
        let foreign = running.parts().iter().filter(|(origin, _)| *origin != Origin::store());
        foreign.into_iter().find_map(|(_, part)| {
            let loaded = part.loaded(&self.0.catalog);
            let one = loaded.config.declared(id.kind).find(|one| one.id == *id)?;
            Some(loaded.places.owner(&one.path))
        })
    }

    /// Puts back what was masked when somebody read it: from what is written now, so that a secret
    /// that was written meanwhile stays.
    fn unmask(&self, state: &State, edits: &mut [Edit]) -> Result<(), Error> {
        let is_masked = |one: &Written| one.spec.to_string().contains(MASKED);
        if !edits.iter().any(|edit| matches!(edit, Edit::Put(one) if is_masked(one))) {
            return Ok(());
        }
        let (catalog, mut lookup) = (&self.0.catalog, Secrets::of(&state.resources));
        let mut problems = Vec::new();
        for edit in edits {
            let Edit::Put(one) = edit else { continue };
            if is_masked(one) {
                let (id, mut spec) = (one.id.clone(), one.spec.value());
                let known = state.resources.get(&id).map(|known| known.spec.value());
                let read = form::unmask(catalog, &id, &mut spec, known.as_ref())
                    .and_then(|()| resource(&spec.to_string(), "body.json", &id, &lookup, catalog));
                match read {
                    Ok(written) => **one = written,
                    Err(more) => {
                        problems.extend(more.into_iter().map(|one| load::within(&id, one)));
                    }
                }
            }
            lookup.add(&one.resource);
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Wrong(problems)) }
    }

    /// What there would be after the edits.
    fn draft(&self, state: &State, edits: Vec<Edit>) -> Result<Draft, Error> {
        let mut resources = Resources::clone(&state.resources);
        let (mut changes, mut secrets) = (Vec::new(), BTreeSet::new());
        // What was written with secrets was read before this change had its turn.
        let mut stale = BTreeSet::new();
        for edit in edits {
            let id = edit.id().clone();
            let before = state.resources.get(&id);
            let change = match edit {
                Edit::Delete(_) => {
                    let before = before.ok_or_else(|| Error::NotFound(id.clone()))?;
                    resources.remove(&id);
                    let before = Some(before.spec.value());
                    Change { id, action: Action::Delete, before, after: None }
                }
                Edit::Put(written) => {
                    let action = match before {
                        None => Action::Create,
                        Some(before) if before.spec == written.spec => Action::Unchanged,
                        Some(_) => Action::Update,
                    };
                    let (before, after) =
                        (before.map(|before| before.spec.value()), Some(written.spec.value()));
                    if action != Action::Unchanged {
                        if !written.used.is_empty() {
                            stale.insert(id.clone());
                        }
                        resources.insert(*written);
                    }
                    Change { id, action, before, after }
                }
            };
            if change.id.kind == Kind::Secret && change.action != Action::Unchanged {
                let ResourceId { namespace, name, .. } = &change.id;
                secrets.insert((namespace.to_string(), name.to_string()));
            }
            changes.push(change);
        }
        if !secrets.is_empty() || !stale.is_empty() {
            self.read_again(&mut resources, &secrets, &stale).map_err(|problems| {
                match only_deletion(&changes) {
                    Some(id) => Error::InUse(id, problems),
                    None => Error::Wrong(problems),
                }
            })?;
        }
        Ok(Draft { resources: resources.into(), changes })
    }

    /// What refers to a secret that changed means something else now, and so may what was read
    /// while another change was under way.
    fn read_again(
        &self,
        resources: &mut Resources,
        secrets: &BTreeSet<(String, String)>,
        stale: &BTreeSet<ResourceId>,
    ) -> Result<(), Vec<Problem>> {
        let lookup = Secrets::of(resources);
        let uses = |one: &&Written| stale.contains(&one.id) || !one.used.is_disjoint(secrets);
        let affected: Vec<_> = resources
            .iter()
            .filter(uses)
            .map(|one| (one.id.clone(), one.spec.to_string()))
            .collect();
        let mut problems = Vec::new();
        for (id, spec) in affected {
            match resource(&spec, "store.json", &id, &lookup, &self.0.catalog) {
                Ok(written) => drop(resources.insert(written)),
                Err(more) => problems.extend(more.into_iter().map(|one| load::within(&id, one))),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn next(&self, state: &State, resources: Arc<Resources>, record: &Record) -> State {
        let mut stamps = BTreeMap::clone(&state.stamps);
        for change in &record.changes {
            match change.action {
                Action::Delete => drop(stamps.remove(&change.id)),
                Action::Create | Action::Update | Action::Unchanged => {
                    let created = stamps.get(&change.id).map_or(record.time, |stamp| stamp.created);
                    let stamp = Stamp { revision: record.revision, created, updated: record.time };
                    stamps.insert(change.id.clone(), stamp);
                }
            }
        }
        let (revision, restored) = (record.revision, state.restored);
        State { revision, resources, stamps: stamps.into(), restored }
    }

    /// All that is written for a change, at once.
    async fn transaction(
        &self,
        state: &State,
        next: &State,
        record: &Record,
    ) -> Result<Transaction, Error> {
        let (store, ring, catalog) = (&self.0.store, self.ring(), &self.0.catalog);
        let last = store.get(&keys::revision()).await?;
        let expected = match &last {
            Some(entry) if load::number(&entry.value)? == state.revision => {
                Expect::ChangedAt(entry.changed)
            }
            None if state.revision == 0 => Expect::Absent,
            _ => return Err(Error::Conflict),
        };
        let sealed = |error: portway_store::seal::SealError| Error::Unreadable(error.to_string());
        let mut transaction = Transaction::new()
            .expect(&keys::revision(), expected)
            .put(&keys::revision(), Bytes::from(record.revision.to_string()));
        for change in &record.changes {
            let key = keys::resource(&change.id);
            transaction = match (&change.after, next.stamps.get(&change.id)) {
                (Some(spec), Some(stamp)) => {
                    let spec = form::seal(catalog, &ring, &change.id, spec).map_err(sealed)?;
                    let Stamp { revision, created, updated } = *stamp;
                    let kept = form::Kept { spec, revision, created, updated };
                    transaction.put(&key, json(&kept)?)
                }
                // Documents go with their collection, at once: none is left without one.
                _ if change.id.kind == Kind::Collection => {
                    transaction.delete(&key).delete_below(&keys::documents(&change.id))
                }
                _ => transaction.delete(&key),
            };
        }
        let kept = record.sealed(catalog, &ring).map_err(sealed)?;
        let folder = keys::record(record.revision);
        let written = pieces::split(&folder, &json(&kept)?, &store.limits())
            .map_err(|error| Error::Unreadable(error.to_string()))?;
        for (key, piece) in written {
            transaction = transaction.put(&key, piece);
        }
        let oldest = u64::try_from(self.0.history).unwrap_or(u64::MAX);
        if let Some(forgotten) = record.revision.checked_sub(oldest) {
            transaction = transaction.delete_below(&keys::record(forgotten));
        }
        Ok(transaction)
    }
}

struct Draft {
    resources: Arc<Resources>,
    changes: Vec<Change>,
}

impl Edit {
    /// Which resource it is about.
    #[must_use]
    pub fn id(&self) -> &ResourceId {
        match self {
            Self::Put(written) => &written.id,
            Self::Delete(id) => id,
        }
    }
}

fn json(value: &impl serde::Serialize) -> Result<Bytes, Error> {
    let json = serde_json::to_vec(value).map_err(|error| Error::Unreadable(error.to_string()))?;
    Ok(json.into())
}

/// The one resource that is deleted, when nothing else is done.
fn only_deletion(changes: &[Change]) -> Option<ResourceId> {
    match changes {
        [Change { id, action: Action::Delete, .. }] => Some(id.clone()),
        _ => None,
    }
}

/// The warnings. What is wrong without a resource that is deleted is in need of it.
pub(super) fn applied(
    outcome: Outcome,
    deleted: Option<ResourceId>,
) -> Result<Vec<Problem>, Error> {
    match (outcome, deleted) {
        (Outcome::Applied { warnings, .. }, _) => Ok(warnings),
        (Outcome::Rejected { problems, .. }, Some(id)) => Err(Error::InUse(id, problems)),
        (Outcome::Rejected { problems, .. }, None) => Err(Error::Wrong(problems)),
    }
}
