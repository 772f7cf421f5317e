//! What was changed, and the way back.

use portway_config::ResourceId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, Made},
    apply::{one, shown},
    context::Context,
    resources::answered,
    writing::{Tries, change},
};
use crate::{
    access::{Verb, Who},
    ledger::{self, Action, Edit, Record, Request},
};

const LIMIT: usize = 50;

/// A change, without what was there before and after.
pub(crate) fn summary(record: &Record) -> Value {
    let count = |action| record.changes.iter().filter(|change| change.action == action).count();
    let changes: Vec<_> = record
        .changes
        .iter()
        .map(|change| {
            json!({
                "kind": change.id.kind.singular(),
                "namespace": change.id.namespace.as_str(),
                "name": change.id.name.as_str(),
                "action": change.action,
            })
        })
        .collect();
    json!({
        "revision": record.revision,
        "time": record.time,
        "author": record.author,
        "message": record.message,
        "summary": {
            "created": count(Action::Create),
            "updated": count(Action::Update),
            "deleted": count(Action::Delete),
        },
        "changes": changes,
    })
}

/// A change as somebody may see it: of what they may not look at they learn nothing. `None` when
/// nothing of it is left.
pub(crate) fn seen(who: &Who, mut record: Record) -> Option<Record> {
    record.changes.retain(|change| who.allows_with(Verb::Get, &change.id).is_ok());
    Some(record).filter(|record| !record.changes.is_empty())
}

/// `GET /api/v1/revisions`
pub(crate) async fn list(context: Context) -> Result<Made, Failure> {
    context.who.allows_somewhere(Verb::List, "revision")?;
    let limit = context.query.limit(LIMIT)?;
    let mut before = context.query.parsed::<u64>("cursor")?;
    let mut data = Vec::new();
    let cursor = loop {
        let found = context.ledger().history(before, limit - data.len()).await?;
        before = found.records.last().map(|last| last.revision).filter(|_| found.more);
        let records = found.records.into_iter();
        data.extend(records.filter_map(|one| seen(&context.who, one)).map(|one| summary(&one)));
        if before.is_none() || data.len() >= limit {
            break before.map(|number| number.to_string());
        }
    };
    Ok(Answer::of(data).meta("cursor", cursor.map_or(Value::Null, Value::from)).into())
}

/// `GET /api/v1/revisions/{number}`
pub(crate) async fn get(context: Context) -> Result<Made, Failure> {
    context.who.allows_somewhere(Verb::Get, "revision")?;
    let number = context
        .param("number")
        .parse()
        .map_err(|_| Failure::not_found(format!("{:?} is no revision", context.param("number"))))?;
    let record = context.ledger().record(number).await?;
    let record = seen(&context.who, record).ok_or(ledger::Error::NoRevision(number))?;
    let mut data = summary(&record);
    let changes = record.changes.iter().map(|change| {
        one(&context, &change.id, change.action, change.before.as_ref(), change.after.as_ref())
    });
    data["changes"] = changes.collect();
    Ok(Answer::of(data).into())
}

/// `GET /api/v1/diff`
pub(crate) async fn diff(context: Context) -> Result<Made, Failure> {
    context.who.allows_somewhere(Verb::Diff, "revision")?;
    let state = context.ledger().state();
    let from = context.query.parsed("from")?.ok_or_else(|| {
        Failure::bad_request("bad_parameter", "the parameter from says where to begin")
    })?;
    let to = context.query.parsed("to")?.unwrap_or(state.revision);
    let ledger = context.ledger();
    let (old, new) = (ledger.at(from, &state).await?, ledger.at(to, &state).await?);
    let current = |id: &ResourceId| state.resources.get(id).map(|one| one.spec.value());
    let mut ids: Vec<_> = old.keys().chain(new.keys()).cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| context.allowed(Verb::Get, id).is_ok());
    let data = ids.iter().filter_map(|id| {
        let before = old.get(id).cloned().unwrap_or_else(|| current(id));
        let after = new.get(id).cloned().unwrap_or_else(|| current(id));
        let action = match (&before, &after) {
            (None, Some(_)) => Action::Create,
            (Some(_), None) => Action::Delete,
            (Some(before), Some(after)) if before != after => Action::Update,
            _ => return None,
        };
        Some(one(&context, id, action, before.as_ref(), after.as_ref()))
    });
    let data: Value = data.collect();
    Ok(Answer::of(data).meta("from", from).meta("to", to).into())
}

/// Where to go back to.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// The revision: everything will be as it was right after it.
    revision: u64,
    /// What the history says about it.
    #[serde(default)]
    message: Option<String>,
}

/// `POST /api/v1/rollback`
pub(crate) async fn rollback(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Put, "revision", None)?;
    let asked: Rollback = context.object()?;
    let message = asked.message.or_else(|| context.message());
    let message = message.unwrap_or_else(|| format!("back to revision {}", asked.revision));
    let mut tries = Tries::of(false);
    let changed = loop {
        let request = way_back(&context, asked.revision, message.clone()).await?;
        match change(&context, request).await {
            Err(failure) if tries.again(&failure) => {}
            changed => break changed?,
        }
    };
    let data = changed.changes.iter().map(|change| shown(&context, change)).collect();
    Ok(answered(&context, Value::Array(data), &changed)?.into())
}

/// The change that leads back: good for as long as nothing else is written.
async fn way_back(context: &Context, to: u64, message: String) -> Result<Request, Failure> {
    let state = context.ledger().state();
    let edits = context.ledger().back_to(to, &state).await?;
    for edit in &edits {
        let verb = if matches!(edit, Edit::Delete(_)) { Verb::Delete } else { Verb::Put };
        context.allowed(verb, edit.id())?;
    }
    Ok(Request {
        edits,
        base: Some(state.revision),
        author: context.who.name.to_string(),
        message: Some(message),
        dry_run: context.query.is_set("dry_run")?,
        ..Request::default()
    })
}
