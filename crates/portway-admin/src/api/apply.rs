//! Documents: many resources at once, in and out.

use std::collections::{BTreeMap, BTreeSet};

use http::{StatusCode, header};
use portway_config::{Kind, Origin, ResourceId, Written, resources, value::Name};
use serde_json::{Map, Value, json};

use super::{
    answer::{Failure, Made, response},
    context::Context,
    resources::{answered, in_document, syntax_or_wrong},
    writing::change,
};
use crate::{
    access::Verb,
    ledger::{Action, Change, Edit, Request, Secrets, masked},
};

/// `POST /api/v1/apply`
pub(crate) async fn apply(context: Context) -> Result<Made, Failure> {
    let (file, text) = (context.file()?, context.text()?);
    let namespace = context.namespace()?.unwrap_or_default();
    let ledger = context.ledger();
    let state = ledger.state();
    let lookup = Secrets::of(&state.resources);
    let written = resources(text, file, &namespace, &lookup, ledger.catalog());
    let written = written.map_err(syntax_or_wrong)?;
    let mut edits = Vec::with_capacity(written.len());
    for one in written {
        context.allowed(Verb::Put, &one.id)?;
        edits.push(Edit::Put(Box::new(one)));
    }
    if let Some(selector) = context.query.get("prune") {
        edits.extend(prune(&context, selector, &edits)?);
    }
    let request = Request {
        edits,
        author: context.who.name.to_string(),
        message: context.message(),
        dry_run: context.query.is_set("dry_run")?,
        ..Request::default()
    };
    let changed = change(&context, request).await?;
    let data = changed.changes.iter().map(|change| shown(&context, change)).collect();
    Ok(answered(&context, Value::Array(data), &changed)?.into())
}

/// The resources with some labels that are not among the edits, of the namespaces these are about.
/// A namespace itself is of none of them.
fn prune(context: &Context, selector: &str, edits: &[Edit]) -> Result<Vec<Edit>, Failure> {
    let labels = selector.split(',').map(|label| {
        label.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
            let detail = format!("a selector is key=value,key=value, not {selector:?}");
            Failure::bad_request("bad_parameter", detail)
        })
    });
    let labels = labels.collect::<Result<Vec<_>, _>>()?;
    let kept: BTreeSet<_> = edits.iter().map(Edit::id).collect();
    let within = namespaces(context, edits)?;
    let is_within = |id: &ResourceId| {
        within.as_ref().is_none_or(|all| id.kind.is_namespaced() && all.contains(&id.namespace))
    };
    let state = context.ledger().state();
    let selected = |one: &&Written| {
        let own = &one.resource.meta().labels;
        is_within(&one.id)
            && labels.iter().all(|(key, value)| own.get(key) == Some(*value))
            && !kept.contains(&one.id)
    };
    let mut pruned = Vec::new();
    for one in state.resources.iter().filter(selected) {
        context.allowed(Verb::Delete, &one.id)?;
        pruned.push(Edit::Delete(one.id.clone()));
    }
    Ok(pruned)
}

/// The namespaces a document is about: the one that was asked for, and those of its resources.
/// `None` when it is about all there are.
fn namespaces(context: &Context, edits: &[Edit]) -> Result<Option<BTreeSet<Name>>, Failure> {
    if context.query.is_set("all_namespaces")? {
        return Ok(None);
    }
    let ids = edits.iter().map(Edit::id).filter(|id| id.kind.is_namespaced());
    let mut named: BTreeSet<_> = ids.map(|id| id.namespace.clone()).collect();
    named.extend(context.namespace()?);
    if named.is_empty() {
        named.insert(Name::default());
    }
    Ok(Some(named))
}

/// What was done with a resource, with secrets masked.
pub(crate) fn shown(context: &Context, change: &Change) -> Value {
    let Change { id, action, before, after } = change;
    one(context, id, *action, before.as_ref(), after.as_ref())
}

pub(crate) fn one(
    context: &Context,
    id: &ResourceId,
    action: Action,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Value {
    let catalog = context.ledger().catalog();
    let spec = |spec: Option<&Value>| spec.map_or(Value::Null, |spec| masked(catalog, id, spec));
    json!({
        "kind": id.kind.singular(),
        "namespace": id.namespace.as_str(),
        "name": id.name.as_str(),
        "action": action,
        "before": spec(before),
        "after": spec(after),
    })
}

/// `GET /api/v1/export`
pub(crate) fn export(context: &Context) -> Result<Made, Failure> {
    let namespace = context.namespace()?;
    let kinds: Vec<Kind> = match context.query.get("kind") {
        None => Kind::ALL.to_vec(),
        Some(word) => vec![Kind::called(word).ok_or_else(|| {
            Failure::bad_request("bad_parameter", format!("there is no kind {word:?}"))
        })?],
    };
    for kind in &kinds {
        context.may_list(*kind, namespace.as_ref())?;
    }
    let owner = context.query.get("owner").unwrap_or("store").to_owned();
    let mut lists: BTreeMap<Kind, Vec<Value>> = BTreeMap::new();
    let mut add = |id: &ResourceId, spec: &Value| {
        let here = namespace.as_ref().is_none_or(|ns| *ns == id.namespace);
        let is_wanted = kinds.contains(&id.kind) && (here || !id.kind.is_namespaced());
        if is_wanted && context.allowed(Verb::List, id).is_ok() {
            lists.entry(id.kind).or_default().push(in_document(context, id, spec));
        }
    };
    if owner == Origin::store().as_str() {
        let state = context.ledger().state();
        state.resources.iter().for_each(|one| add(&one.id, &one.spec.value()));
    } else if let Some(running) = context.ledger().changes().running() {
        for (_, part) in running.parts() {
            let loaded = part.loaded(context.ledger().catalog());
            for one in kinds.iter().flat_map(|kind| loaded.config.declared(*kind)) {
                // What stands under a service is exported with it.
                let own = one.path.starts_with(one.id.kind.plural());
                if own && loaded.places.owner(&one.path).as_str() == owner {
                    add(&one.id, &one.spec());
                }
            }
        }
    }
    let document: Map<_, _> =
        lists.into_iter().map(|(kind, list)| (kind.plural().to_owned(), list.into())).collect();
    let document = Value::Object(document);
    let wants = context.head.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if wants.is_some_and(|accept| accept.contains("application/json")) {
        let text = format!("{document:#}\n");
        return Ok(response(StatusCode::OK, "application/json", text).into());
    }
    let yaml = serde_saphyr::to_string(&document)
        .map_err(|error| Failure::bad_request("not_yaml", error.to_string()))?;
    Ok(response(StatusCode::OK, "application/yaml", yaml).into())
}
