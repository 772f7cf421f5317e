//! Documents: JSON that the gateway keeps for others, in collections.
//!
//! Every way to write one goes through [`Place::keep`]: what a collection's schema forbids is never
//! kept, and nothing is kept of a collection that is gone.

use http::StatusCode;
use portway_config::{Collection, Kind, Resource, ResourceId, Visibility, value::Name};
use portway_store::{Entry, Expect, Key, List, Prefix, Revision, Transaction, backup::Archive};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
    resources::merge,
    writing::Tries,
};
use crate::{
    access::{Moment, Verb},
    ledger::{self, Condition, keys},
};

const LIMIT: usize = 100;
/// How many documents are looked at in one go.
const PAGE: usize = 1000;
/// How many bytes of documents are in memory for one request, unless one has more.
const PAGE_BYTES: usize = 8 << 20;
/// How many things that are wrong with documents are told.
const PROBLEMS: usize = 100;

/// A document in the store.
#[derive(Serialize, Deserialize)]
struct Kept {
    data: Value,
    created: Moment,
    updated: Moment,
}

/// Where documents are, and what they must be like.
struct Place {
    collection: Collection,
    folder: Prefix,
    /// Where the store has the collection, when it is the store's.
    kept: Option<Key>,
}

impl Place {
    /// The collection that a request names.
    fn of(context: &Context, verb: Verb) -> Result<Self, Failure> {
        let namespace = context.namespace()?.unwrap_or_default();
        let name = context.query.parsed::<Name>("collection")?.ok_or_else(|| {
            Failure::bad_request("bad_parameter", "the parameter collection says which one")
        })?;
        let id = ResourceId { kind: Kind::Collection, namespace, name };
        let found = collection(context, &id);
        let is_public = found.as_ref().is_some_and(|one| one.visibility == Visibility::Public);
        if verb.is_write() || !is_public {
            context.who.allows(verb, "document", Some(id.namespace.as_str()))?;
        }
        let collection =
            found.ok_or_else(|| Failure::not_found(format!("there is no {}", id.told())))?;
        let is_stored = context.ledger().state().resources.get(&id).is_some();
        let kept = is_stored.then(|| keys::resource(&id));
        Ok(Self { collection, folder: keys::documents(&id), kept })
    }

    fn key(&self, id: &str) -> Result<Key, Failure> {
        self.folder
            .key(id)
            .map_err(|error| Failure::bad_request("bad_parameter", error.to_string()))
    }

    /// Writes a document in the place of what was there.
    async fn keep(
        &self,
        context: &Context,
        key: &Key,
        known: Option<&Entry>,
        data: Value,
    ) -> Result<Made, Failure> {
        self.collection.check(&data).map_err(Failure::wrong)?;
        let expected = expected(context, known)?;
        let now = Moment::from(std::time::SystemTime::now());
        let created = known.and_then(|entry| Some(kept(entry).ok()?.created)).unwrap_or(now);
        let document = Kept { data, created, updated: now };
        let value = serde_json::to_vec(&document)
            .map_err(|error| Failure::bad_request("bad_value", error.to_string()))?;
        let mut transaction = Transaction::new().expect(key, expected).put(key, value);
        if let Some(collection) = &self.kept {
            transaction = transaction.expect(collection, Expect::Present);
        }
        let revision = match written(context, transaction).await? {
            Some(revision) => revision,
            None => known.map_or(Revision::ZERO, |entry| entry.changed),
        };
        let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        let view = self.shown(key.name(), revision, &document);
        Ok(answered(context, view)?.status(status).tagged(revision.0).into())
    }

    fn view(&self, entry: &Entry) -> Result<Value, Failure> {
        Ok(self.shown(entry.key.name(), entry.changed, &kept(entry)?))
    }

    fn shown(&self, id: &str, revision: Revision, kept: &Kept) -> Value {
        json!({
            "id": id,
            "namespace": self.collection.meta.namespace.as_str(),
            "collection": self.collection.meta.name.as_str(),
            "revision": revision.0,
            "etag": format!("\"{}\"", revision.0),
            "created_at": kept.created,
            "updated_at": kept.updated,
            "data": kept.data,
        })
    }
}

/// Writes, unless only what would come of it is asked for: then there is no revision.
async fn written(context: &Context, transaction: Transaction) -> Result<Option<Revision>, Failure> {
    let store = context.ledger().store();
    if context.query.is_set("dry_run")? {
        transaction.check(&store.limits()).map_err(ledger::Error::from)?;
        return Ok(None);
    }
    Ok(Some(store.commit(transaction).await.map_err(lost_race)?))
}

/// The answer to a write.
fn answered(context: &Context, data: Value) -> Result<Answer, Failure> {
    Ok(Answer::of(data).meta("dry_run", context.query.is_set("dry_run")?))
}

/// What the store has of a document.
fn kept(entry: &Entry) -> Result<Kept, Failure> {
    serde_json::from_slice(&entry.value).map_err(|error| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "store_damaged", error.to_string())
    })
}

/// A collection, whoever owns it.
fn collection(context: &Context, id: &ResourceId) -> Option<Collection> {
    let state = context.ledger().state();
    if let Some(written) = state.resources.get(id) {
        return match &written.resource {
            Resource::Collection(collection) => Some((**collection).clone()),
            _ => None,
        };
    }
    // What is served may still have one of the store that has just been deleted.
    context.ledger().owner(id)?;
    let running = context.ledger().changes().running()?;
    let mut all = running.config().collections.iter();
    all.find(|one| one.meta.name == id.name && one.meta.namespace == id.namespace).cloned()
}

/// `PUT /api/v1/documents/{id}`
pub(crate) async fn put(context: Context) -> Result<Made, Failure> {
    let data = context.value()?;
    let ledger = context.ledger();
    let _collections_wait = ledger.writes_documents().await;
    let place = Place::of(&context, Verb::Put)?;
    let key = place.key(context.param("id"))?;
    let known = ledger.store().get(&key).await.map_err(ledger::Error::from)?;
    place.keep(&context, &key, known.as_ref(), data).await
}

/// `PATCH /api/v1/documents/{id}`: a JSON merge patch (RFC 7396) of the data.
pub(crate) async fn patch(context: Context) -> Result<Made, Failure> {
    if context.file()? != "body.json" {
        let (status, code) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
        return Err(Failure::new(status, code, "a merge patch is JSON"));
    }
    let patch = context.value()?;
    let said = context.preconditions()?;
    let mut tries = Tries::of(said.iter().any(|one| *one != Condition::Exists));
    let ledger = context.ledger();
    let _collections_wait = ledger.writes_documents().await;
    let place = Place::of(&context, Verb::Patch)?;
    let key = place.key(context.param("id"))?;
    loop {
        let known = ledger.store().get(&key).await.map_err(ledger::Error::from)?;
        let known = known.ok_or_else(|| Failure::not_found("there is no such document"))?;
        let mut data = kept(&known)?.data;
        merge(&mut data, patch.clone());
        match place.keep(&context, &key, Some(&known), data).await {
            Err(failure) if tries.again(&failure) => {}
            made => return made,
        }
    }
}

/// What must be true for a write, by the fields of the request, and else what is true now: of two
/// writers at once, one wins.
fn expected(context: &Context, known: Option<&Entry>) -> Result<Expect, Failure> {
    let is_met = |condition: Condition| match condition {
        Condition::At(revision) => known.is_some_and(|entry| entry.changed.0 == revision),
        Condition::Exists => known.is_some(),
        Condition::Absent => known.is_none(),
    };
    if context.preconditions()?.into_iter().all(is_met) {
        return Ok(known.map_or(Expect::Absent, |entry| Expect::ChangedAt(entry.changed)));
    }
    let detail = "the document is not as expected";
    Err(Failure::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail))
}

fn lost_race(error: portway_store::Error) -> Failure {
    if let portway_store::Error::Conflict(conflict) = &error
        && conflict.mismatches.iter().any(|one| one.expected == Expect::Present)
    {
        return Failure::not_found("the collection was deleted meanwhile");
    }
    match ledger::Error::from(error) {
        ledger::Error::Conflict => {
            let detail = "somebody else has written it meanwhile";
            Failure::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
        }
        error => error.into(),
    }
}

/// `GET /api/v1/documents/{id}`
pub(crate) async fn get(context: Context) -> Result<Made, Failure> {
    let place = Place::of(&context, Verb::Get)?;
    let key = place.key(context.param("id"))?;
    let entry = context.ledger().store().get(&key).await.map_err(ledger::Error::from)?;
    let entry = entry.ok_or_else(|| Failure::not_found("there is no such document"))?;
    Ok(Answer::of(place.view(&entry)?).tagged(entry.changed.0).into())
}

/// `GET /api/v1/documents`
pub(crate) async fn list(context: Context) -> Result<Made, Failure> {
    let place = Place::of(&context, Verb::List)?;
    let limit = context.query.limit(LIMIT)?;
    let offset = context.query.parsed::<usize>("offset")?.unwrap_or(0);
    let store = context.ledger().store();
    let mut list = page_of(&place.folder);
    if let Some(cursor) = context.query.get("cursor") {
        list = list.after(&place.key(cursor)?);
    }
    let Some(list) = skipped(&**store, list, offset).await? else {
        return Ok(Answer::of([(); 0]).meta("cursor", Value::Null).into());
    };
    let page = store.list(list.limit(limit)).await.map_err(ledger::Error::from)?;
    let shown = page.entries.iter();
    let data = shown.map(|entry| place.view(entry)).collect::<Result<Vec<_>, _>>()?;
    let last = page.entries.last().filter(|_| page.more).map(|entry| entry.key.name().to_owned());
    Ok(Answer::of(data).meta("cursor", last.map_or(Value::Null, Value::from)).into())
}

/// As much of what lies below a prefix as is looked at in one go.
fn page_of(folder: &Prefix) -> List {
    List::of(folder).limit(PAGE).bytes(PAGE_BYTES)
}

/// A list without its first `count` entries, a page of which is in memory at a time; `None` when
/// there are no others.
async fn skipped(
    store: &dyn Archive,
    mut list: List,
    mut count: usize,
) -> Result<Option<List>, Failure> {
    while count > 0 {
        let page = store.list(list.clone().limit(count.min(PAGE))).await;
        let page = page.map_err(ledger::Error::from)?;
        count -= page.entries.len();
        match page.entries.last().filter(|_| page.more) {
            Some(last) => list = list.after(&last.key),
            None => return Ok(None),
        }
    }
    Ok(Some(list))
}

/// `DELETE /api/v1/documents/{id}`
pub(crate) async fn delete(context: Context) -> Result<Made, Failure> {
    let place = Place::of(&context, Verb::Delete)?;
    let key = place.key(context.param("id"))?;
    let store = context.ledger().store();
    let known = store.get(&key).await.map_err(ledger::Error::from)?;
    let known = known.ok_or_else(|| Failure::not_found("there is no such document"))?;
    let expected = expected(&context, Some(&known))?;
    let transaction = Transaction::new().expect(&key, expected).delete(&key);
    written(&context, transaction).await?;
    Ok(answered(&context, place.view(&known)?)?.into())
}

/// `DELETE /api/v1/documents`: all of a collection.
pub(crate) async fn clear(context: Context) -> Result<Made, Failure> {
    let place = Place::of(&context, Verb::Delete)?;
    if !context.query.is_set("force")? {
        let detail = "this deletes every document of the collection: say force=true";
        return Err(Failure::new(StatusCode::CONFLICT, "not_forced", detail));
    }
    let store = context.ledger().store();
    let mut count = 0;
    let mut documents = Pages::of(&**store, &place.folder);
    while let Some(entries) = documents.next().await? {
        count += entries.len();
    }
    let transaction = Transaction::new().delete_below(&place.folder);
    written(&context, transaction).await?;
    Ok(answered(&context, Value::Null)?.meta("deleted", count).into())
}

/// Refuses what would leave documents in a store without their collection, or with a schema they
/// do not fit. `next` is what the collection says from now on; `None` when it goes.
pub(crate) async fn keeps_documents(
    store: &dyn Archive,
    id: &ResourceId,
    next: Option<&Collection>,
) -> Result<(), Failure> {
    let folder = keys::documents(id);
    let mut documents = Pages::of(store, &folder);
    let mut problems = Vec::new();
    while let Some(entries) = documents.next().await? {
        let Some(next) = next else {
            let detail = format!("{} has documents: delete them, or say force=true", id.told());
            return Err(Failure::new(StatusCode::CONFLICT, "in_use", detail));
        };
        for entry in &entries {
            let Ok(kept) = kept(entry) else { continue };
            if let Err(more) = next.check(&kept.data) {
                let name = entry.key.name();
                problems.extend(more.into_iter().map(|one| {
                    let path = format!("documents/{name} {}", one.path);
                    one.at(path.trim_end().to_owned())
                }));
            }
        }
        if problems.len() >= PROBLEMS {
            break;
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    problems.truncate(PROBLEMS);
    let detail =
        format!("documents of {} do not fit its schema: say force=true to keep them", id.told());
    Err(Failure::new(StatusCode::CONFLICT, "in_use", detail).because(problems))
}

/// What lies below a prefix, some of it at a time.
struct Pages<'a> {
    store: &'a dyn Archive,
    next: Option<List>,
}

impl<'a> Pages<'a> {
    fn of(store: &'a dyn Archive, folder: &'a Prefix) -> Self {
        Self { store, next: Some(page_of(folder)) }
    }

    /// The next ones; `None` when there are no more.
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, Failure> {
        let Some(list) = self.next.take() else { return Ok(None) };
        let page = self.store.list(list.clone()).await.map_err(ledger::Error::from)?;
        let Some(last) = page.entries.last() else { return Ok(None) };
        if page.more {
            self.next = Some(list.after(&last.key));
        }
        Ok(Some(page.entries))
    }
}

#[cfg(test)]
mod tests {
    use portway_store::{Memory, Store as _};

    use super::*;

    #[tokio::test]
    async fn every_document_is_looked_at_however_many_there_are() {
        let id: ResourceId = "collection/default/many".parse().unwrap();
        let (store, folder) = (Memory::new(), keys::documents(&id));
        let now = Moment::from(std::time::SystemTime::now());
        let mut transaction = Transaction::new();
        for number in 0..2500 {
            let data = if number < 2499 { json!(number) } else { json!("the last one") };
            let kept = Kept { data, created: now, updated: now };
            let key = folder.key(&format!("{number:05}")).unwrap();
            transaction = transaction.put(&key, serde_json::to_vec(&kept).unwrap());
        }
        store.commit(transaction).await.unwrap();
        let collection = |schema| -> Collection {
            serde_json::from_value(json!({ "name": "many", "schema": schema })).unwrap()
        };
        let numbers = collection(json!({ "type": "number" }));
        let failure = keeps_documents(&store, &id, Some(&numbers)).await.unwrap_err();
        assert_eq!((failure.code, failure.problems.len()), ("in_use", 1));
        assert_eq!(failure.problems[0].path, "documents/02499");
        let anything = collection(json!({}));
        assert!(keeps_documents(&store, &id, Some(&anything)).await.is_ok());
        assert!(keeps_documents(&store, &id, None).await.is_err());
    }
}
