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
};
use crate::{
    access::Verb,
    ledger::{Action, Record, Request},
};

const LIMIT: usize = 50;
const MAX_LIMIT: usize = 1000;

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

/// `GET /api/v1/revisions`
pub(crate) async fn list(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::List, "revision", None)?;
    let limit = context.query.parsed("limit")?.unwrap_or(LIMIT).clamp(1, MAX_LIMIT);
    let before = context.query.parsed::<u64>("cursor")?;
    let found = context.ledger().history(before, limit).await?;
    let cursor = found.records.last().filter(|_| found.more).map(|last| last.revision.to_string());
    let data: Vec<_> = found.records.iter().map(summary).collect();
    Ok(Answer::of(data).meta("cursor", cursor.map_or(Value::Null, Value::from)).into())
}

/// `GET /api/v1/revisions/{number}`
pub(crate) async fn get(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Get, "revision", None)?;
    let number = context
        .param("number")
        .parse()
        .map_err(|_| Failure::not_found(format!("{:?} is no revision", context.param("number"))))?;
    let record = context.ledger().record(number).await?;
    let mut data = summary(&record);
    let changes = record.changes.iter().map(|change| {
        one(&context, &change.id, change.action, change.before.as_ref(), change.after.as_ref())
    });
    data["changes"] = changes.collect();
    Ok(Answer::of(data).into())
}

/// `GET /api/v1/diff`
pub(crate) async fn diff(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Diff, "revision", None)?;
    let now = context.ledger().state().revision;
    let from = context.query.parsed("from")?.ok_or_else(|| {
        Failure::bad_request("bad_parameter", "the parameter from says where to begin")
    })?;
    let to = context.query.parsed("to")?.unwrap_or(now);
    let (old, new) = (context.ledger().at(from).await?, context.ledger().at(to).await?);
    let state = context.ledger().state();
    let current = |id: &ResourceId| state.resources.get(id).map(|one| one.spec.clone());
    let mut ids: Vec<_> = old.keys().chain(new.keys()).cloned().collect();
    ids.sort_unstable();
    ids.dedup();
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
    let asked: Rollback = context.json()?;
    let edits = context.ledger().back_to(asked.revision).await?;
    for edit in &edits {
        context.allowed(Verb::Put, edit.id())?;
    }
    let message = asked.message.or_else(|| context.message());
    let request = Request {
        edits,
        conditions: Vec::new(),
        author: context.who.name.to_string(),
        message: Some(message.unwrap_or_else(|| format!("back to revision {}", asked.revision))),
        dry_run: context.query.is_set("dry_run")?,
    };
    let changed = context.ledger().change(request).await?;
    let data = changed.changes.iter().map(|change| shown(&context, change)).collect();
    Ok(answered(&context, Value::Array(data), &changed)?.into())
}
