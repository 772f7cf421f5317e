//! Documents: JSON that the gateway keeps for others, in collections.
//!
//! Every way to write one goes through [`Collection::check`]: what a collection's schema forbids is never
//! kept.

use http::{HeaderMap, StatusCode, header};
use portway_config::{Collection, Kind, Resource, ResourceId, Visibility, value::Name};
use portway_store::{Entry, Expect, Key, List, Prefix, Revision, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
};
use crate::{
    access::{Moment, Verb},
    ledger::{self, keys},
};

const LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

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
        let collection = found.ok_or_else(|| Failure::not_found(format!("there is no {id}")))?;
        Ok(Self { collection, folder: keys::documents(&id) })
    }

    fn key(&self, id: &str) -> Result<Key, Failure> {
        self.folder
            .key(id)
            .map_err(|error| Failure::bad_request("bad_parameter", error.to_string()))
    }

    fn view(&self, entry: &Entry) -> Result<Value, Failure> {
        let kept: Kept = serde_json::from_slice(&entry.value).map_err(|error| {
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "store_damaged", error.to_string())
        })?;
        Ok(json!({
            "id": entry.key.name(),
            "namespace": self.collection.meta.namespace.as_str(),
            "collection": self.collection.meta.name.as_str(),
            "revision": entry.changed.0,
            "etag": format!("\"{}\"", entry.changed.0),
            "created_at": kept.created,
            "updated_at": kept.updated,
            "data": kept.data,
        }))
    }
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
    let running = context.ledger().changes().running()?;
    let mut all = running.config().collections.iter();
    all.find(|one| one.meta.name == id.name && one.meta.namespace == id.namespace).cloned()
}

/// `PUT /api/v1/documents/{id}`
pub(crate) async fn put(context: Context) -> Result<Made, Failure> {
    let place = Place::of(&context, Verb::Put)?;
    let key = place.key(context.param("id"))?;
    let data: Value = context.json()?;
    place.collection.check(&data).map_err(Failure::wrong)?;
    let store = context.ledger().store();
    let known = store.get(&key).await.map_err(ledger::Error::from)?;
    let expected = expected(&context.headers, known.as_ref())?;
    let now = Moment::from(std::time::SystemTime::now());
    let created = match &known {
        Some(entry) => {
            serde_json::from_slice::<Kept>(&entry.value).map_or(now, |kept| kept.created)
        }
        None => now,
    };
    let kept = serde_json::to_vec(&Kept { data, created, updated: now })
        .map_err(|error| Failure::bad_request("bad_value", error.to_string()))?;
    let transaction = Transaction::new().expect(&key, expected).put(&key, kept);
    store.commit(transaction).await.map_err(lost_race)?;
    let entry = store.get(&key).await.map_err(ledger::Error::from)?;
    let entry = entry.ok_or_else(|| Failure::not_found("it was deleted meanwhile"))?;
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Answer::of(place.view(&entry)?).status(status).tagged(entry.changed.0).into())
}

/// What must be true for a write, by the fields of the request, or else what is true now: of two
/// writers at once, one wins.
fn expected(headers: &HeaderMap, known: Option<&Entry>) -> Result<Expect, Failure> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let refused = || {
        let detail = "the document is not as expected";
        Failure::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
    };
    if let Some(tag) = text(header::IF_MATCH) {
        let known = known.ok_or_else(refused)?;
        let is_it = tag == "*" || tag.trim_matches('"') == known.changed.0.to_string();
        return if is_it { Ok(Expect::ChangedAt(known.changed)) } else { Err(refused()) };
    }
    if text(header::IF_NONE_MATCH) == Some("*") && known.is_some() {
        return Err(refused());
    }
    Ok(known.map_or(Expect::Absent, |entry| Expect::ChangedAt(entry.changed)))
}

fn lost_race(error: portway_store::Error) -> Failure {
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
    let limit = context.query.parsed("limit")?.unwrap_or(LIMIT).clamp(1, MAX_LIMIT);
    let offset = context.query.parsed::<usize>("offset")?.unwrap_or(0);
    let mut list = List::of(&place.folder).limit(limit.saturating_add(offset));
    if let Some(cursor) = context.query.get("cursor") {
        list = list.after(&place.key(cursor)?);
    }
    let page = context.ledger().store().list(list).await.map_err(ledger::Error::from)?;
    let shown = page.entries.iter().skip(offset);
    let data = shown.map(|entry| place.view(entry)).collect::<Result<Vec<_>, _>>()?;
    let last = page.entries.last().filter(|_| page.more).map(|entry| entry.key.name().to_owned());
    Ok(Answer::of(data).meta("cursor", last.map_or(Value::Null, Value::from)).into())
}

/// `DELETE /api/v1/documents/{id}`
pub(crate) async fn delete(context: Context) -> Result<Made, Failure> {
    let place = Place::of(&context, Verb::Delete)?;
    let key = place.key(context.param("id"))?;
    let store = context.ledger().store();
    let known = store.get(&key).await.map_err(ledger::Error::from)?;
    let known = known.ok_or_else(|| Failure::not_found("there is no such document"))?;
    let expected = expected(&context.headers, Some(&known))?;
    let transaction = Transaction::new().expect(&key, expected).delete(&key);
    store.commit(transaction).await.map_err(lost_race)?;
    Ok(Answer::of(place.view(&known)?).into())
}

/// `DELETE /api/v1/documents`: all of a collection.
pub(crate) async fn clear(context: Context) -> Result<Made, Failure> {
    let place = Place::of(&context, Verb::Delete)?;
    if !context.query.is_set("force")? {
        let detail = "this deletes every document of the collection: say force=true";
        return Err(Failure::new(StatusCode::CONFLICT, "not_forced", detail));
    }
    let store = context.ledger().store();
    let page = store.list(List::of(&place.folder)).await.map_err(ledger::Error::from)?;
    let transaction = Transaction::new().delete_below(&place.folder);
    store.commit(transaction).await.map_err(lost_race)?;
    Ok(Answer::of(Value::Null).meta("deleted", page.entries.len()).into())
}

/// Refuses what would leave documents without their collection, or with a schema they do not fit.
/// `next` is what the collection says from now on; `None` when it goes.
pub(crate) async fn keeps_documents(
    context: &Context,
    id: &ResourceId,
    next: Option<&Collection>,
) -> Result<(), Failure> {
    if context.query.is_set("force")? {
        return Ok(());
    }
    let list = List::of(&keys::documents(id));
    let page = context.ledger().store().list(list).await.map_err(ledger::Error::from)?;
    let Some(next) = next else {
        return match page.entries.len() {
            0 => Ok(()),
            count => {
                let detail = format!("{id} has {count} documents: delete them, or say force=true");
                Err(Failure::new(StatusCode::CONFLICT, "in_use", detail))
            }
        };
    };
    let mut problems = Vec::new();
    for entry in &page.entries {
        let Ok(kept) = serde_json::from_slice::<Kept>(&entry.value) else { continue };
        if let Err(more) = next.check(&kept.data) {
            let name = entry.key.name();
            problems.extend(more.into_iter().map(|one| {
                let path = format!("documents/{name} {}", one.path);
                one.at(path.trim_end().to_owned())
            }));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let detail =
        "documents of the collection do not fit the new schema: say force=true to keep them";
    Err(Failure::new(StatusCode::CONFLICT, "in_use", detail).because(problems))
}

/// Takes the documents of a collection away, after the collection.
pub(crate) async fn forget(context: &Context, id: &ResourceId) -> Result<Revision, Failure> {
    let transaction = Transaction::new().delete_below(&keys::documents(id));
    Ok(context.ledger().store().commit(transaction).await.map_err(ledger::Error::from)?)
}
