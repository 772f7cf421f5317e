//! Resources of all kinds: looking at them, writing them, taking them away.

use std::collections::BTreeMap;

use http::StatusCode;
use portway_config::{Kind, Origin, Problem, ResourceId, Tree, Written, named, resource};
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
    writing::{Tries, change},
};
use crate::{
    access::Verb,
    ledger::{self, Action, Changed, Condition, Edit, Request, Secrets, State, masked},
};

const LIMIT: usize = 100;

/// A resource as the API shows it.
#[derive(Clone, Debug)]
struct View {
    id: ResourceId,
    owner: Origin,
    /// The number of its last change, when the store has it.
    revision: u64,
    times: Option<(String, String)>,
    spec: Value,
}

impl View {
    fn json(&self) -> Value {
        let mut view = Map::new();
        view.insert("kind".into(), self.id.kind.singular().into());
        if self.id.kind.is_namespaced() {
            view.insert("namespace".into(), self.id.namespace.as_str().into());
        }
        view.insert("name".into(), self.id.name.as_str().into());
        view.insert("owner".into(), self.owner.as_str().into());
        view.insert("revision".into(), self.revision.into());
        if self.revision > 0 {
            view.insert("etag".into(), format!("\"{}\"", self.revision).into());
        }
        if let Some((created, updated)) = &self.times {
            view.insert("created_at".into(), created.as_str().into());
            view.insert("updated_at".into(), updated.as_str().into());
        }
        view.insert("spec".into(), self.spec.clone());
        Value::Object(view)
    }
}

/// `GET /api/v1/{kind}`
pub(crate) fn list(context: &Context) -> Result<Made, Failure> {
    let kind = context.kind()?;
    let namespace = context.namespace()?;
    context.may_list(kind, namespace.as_ref())?;
    let limit = context.query.limit(LIMIT)?;
    let filter = Filter::read(context)?;
    let after = context.query.get("cursor").map(str::to_owned);
    let state = context.ledger().state();
    let mut views: Vec<View> = all(context, &state, kind).into_values().collect();
    views.retain(|view| {
        namespace.as_ref().is_none_or(|ns| !kind.is_namespaced() || *ns == view.id.namespace)
            && context.allowed(Verb::List, &view.id).is_ok()
            && filter.takes(view)
    });
    let count = views.len();
    let key = |view: &View| format!("{}/{}", view.id.namespace, view.id.name);
    let start = after.map_or(0, |after| views.partition_point(|view| key(view) <= after));
    let page: Vec<_> = views[start..].iter().take(limit).collect();
    let more = start + page.len() < count;
    let cursor = page.last().filter(|_| more).map(|view| key(view));
    let data: Vec<_> = page.into_iter().map(View::json).collect();
    Ok(Answer::of(data)
        .meta("count", count)
        .meta("cursor", cursor.map_or(Value::Null, Value::from))
        .meta("revision", state.revision)
        .into())
}

/// What is wanted of a list.
struct Filter<'a> {
    name: Option<&'a str>,
    owner: Option<&'a str>,
    labels: Vec<(&'a str, &'a str)>,
}

impl<'a> Filter<'a> {
    fn read(context: &'a Context) -> Result<Self, Failure> {
        let labels = context.query.all("label").map(|label| {
            label.split_once('=').ok_or_else(|| {
                let detail = format!("a label is key=value, not {label:?}");
                Failure::bad_request("bad_parameter", detail)
            })
        });
        Ok(Self {
            name: context.query.get("name"),
            owner: context.query.get("owner"),
            labels: labels.collect::<Result<_, _>>()?,
        })
    }

    fn takes(&self, view: &View) -> bool {
        let label = |(key, value): &(&str, &str)| {
            view.spec.get("labels").and_then(|labels| labels.get(*key)).and_then(Value::as_str)
                == Some(*value)
        };
        self.name.is_none_or(|pattern| glob(pattern, view.id.name.as_str()))
            && self.owner.is_none_or(|owner| view.owner.as_str() == owner)
            && self.labels.iter().all(label)
    }
}

/// Whether a text is as a pattern says, in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<_> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

/// All resources of a kind, whoever owns them.
fn all(context: &Context, state: &State, kind: Kind) -> BTreeMap<ResourceId, View> {
    let catalog = context.ledger().catalog();
    let mut views = BTreeMap::new();
    for one in state.resources.iter().filter(|one| one.id.kind == kind) {
        views.insert(one.id.clone(), stored(context, state, one));
    }
    let Some(running) = context.ledger().changes().running() else { return views };
    for (origin, part) in running.parts() {
        // The store's own were added; what it has under services was not.
        if *origin == Origin::store() && kind != Kind::Route {
            continue;
        }
        let loaded = part.loaded(catalog);
        for one in loaded.config.declared(kind) {
            let spec = masked(catalog, &one.id, &one.spec());
            let owner = loaded.places.owner(&one.path);
            let view = View { id: one.id.clone(), owner, revision: 0, times: None, spec };
            views.entry(one.id).or_insert(view);
        }
    }
    views
}

/// One that the store has in `state`.
fn stored(context: &Context, state: &State, one: &Written) -> View {
    let stamp = state.stamps.get(&one.id).copied();
    View {
        id: one.id.clone(),
        owner: Origin::store(),
        revision: stamp.map_or(0, |stamp| stamp.revision),
        times: stamp.map(|stamp| (stamp.created.to_string(), stamp.updated.to_string())),
        spec: masked(context.ledger().catalog(), &one.id, &one.spec.value()),
    }
}

fn one(context: &Context, id: &ResourceId) -> Result<View, Failure> {
    let state = context.ledger().state();
    if let Some(written) = state.resources.get(id) {
        return Ok(stored(context, &state, written));
    }
    let found = all(context, &state, id.kind).remove(id);
    found.ok_or_else(|| Failure::not_found(format!("there is no {}", id.told())))
}

/// `GET /api/v1/{kind}/{name}`
pub(crate) fn get(context: &Context) -> Result<Made, Failure> {
    let id = context.resource()?;
    context.allowed(Verb::Get, &id)?;
    let view = one(context, &id)?;
    let answer = Answer::of(view.json());
    Ok(if view.revision > 0 { answer.tagged(view.revision) } else { answer }.into())
}

/// `PUT /api/v1/{kind}/{name}`
pub(crate) async fn put(context: Context) -> Result<Made, Failure> {
    let id = context.resource()?;
    context.allowed(Verb::Put, &id)?;
    let file = context.file()?;
    let resource = read(&context, context.text()?, file, &id)?;
    let wanted = request(&context, &id, Edit::Put(Box::new(resource)))?;
    let changed = change(&context, wanted).await;
    written(&context, &id, changed)
}

/// `PATCH /api/v1/{kind}/{name}`: a JSON merge patch (RFC 7396) of the spec.
pub(crate) async fn patch(context: Context) -> Result<Made, Failure> {
    let id = context.resource()?;
    context.allowed(Verb::Patch, &id)?;
    if context.file()? != "body.json" {
        let (status, code) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
        return Err(Failure::new(status, code, "a merge patch is JSON"));
    }
    // Read as strictly as a spec is: a key that stands there twice means nothing.
    let patch = Tree::parse(context.text()?, "body.json").map_err(syntax_or_wrong)?.to_json();
    let said = context.conditions(&id)?;
    let mut tries = Tries::of(said.iter().any(|(_, one)| *one != Condition::Exists));
    loop {
        let wanted = patched(&context, &id, patch.clone())?;
        match change(&context, wanted).await {
            Err(failure) if tries.again(&failure) => {}
            changed => return written(&context, &id, changed),
        }
    }
}

/// A patch laid over what is there: good for as long as it is.
fn patched(context: &Context, id: &ResourceId, patch: Value) -> Result<Request, Failure> {
    let state = context.ledger().state();
    let (known, stamp) = (state.resources.get(id), state.stamps.get(id));
    let (Some(known), Some(stamp)) = (known, stamp) else {
        // Whoever owns it says so.
        one(context, id)?;
        let owner = context.ledger().owner(id).unwrap_or_else(Origin::code);
        return Err(ledger::Error::OwnedElsewhere(id.clone(), owner).into());
    };
    let mut spec = known.spec.value();
    merge(&mut spec, patch);
    let resource = read(context, &spec.to_string(), "body.json", id)?;
    let mut wanted = request(context, id, Edit::Put(Box::new(resource)))?;
    wanted.conditions.push((id.clone(), Condition::At(stamp.revision)));
    Ok(wanted)
}

/// RFC 7396 section 2.
pub(crate) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Reads what somebody wrote.
fn read(context: &Context, text: &str, file: &str, id: &ResourceId) -> Result<Written, Failure> {
    let ledger = context.ledger();
    let lookup = Secrets::of(&ledger.state().resources);
    resource(text, file, id, &lookup, ledger.catalog()).map_err(syntax_or_wrong)
}

/// A body that is no document at all is the request's fault, not the configuration's.
pub(crate) fn syntax_or_wrong(problems: Vec<Problem>) -> Failure {
    let unreadable = ["syntax", "empty_document", "control_character", "not_utf8", "too_deep"];
    match problems.iter().find(|problem| unreadable.contains(&problem.code)) {
        Some(problem) => Failure::bad_request("syntax", problem.message.clone()).because(problems),
        None => Failure::wrong(problems),
    }
}

/// The answer to somebody who wrote a resource: what they wrote, whoever has written since.
fn written(
    context: &Context,
    id: &ResourceId,
    changed: Result<Changed, Failure>,
) -> Result<Made, Failure> {
    // The problems of the resource that was written need not say which one it is.
    let changed = changed.map_err(|failure| relative(failure, id))?;
    let is_asked = context.query.is_set("dry_run")?;
    let data = match changed.after.resources.get(id).filter(|_| !is_asked) {
        Some(written) => stored(context, &changed.after, written).json(),
        None => would_be(context, id, &changed),
    };
    let is_new = changed.changes.iter().any(|change| change.action == Action::Create);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let revision = changed.after.stamps.get(id).map_or(0, |stamp| stamp.revision);
    Ok(answered(context, data, &changed)?.status(status).tagged(revision).into())
}

fn would_be(context: &Context, id: &ResourceId, changed: &Changed) -> Value {
    let after = changed.changes.first().and_then(|change| change.after.as_ref());
    let spec = after.map(|spec| masked(context.ledger().catalog(), id, spec)).unwrap_or_default();
    let (owner, revision) = (Origin::store(), 0);
    View { id: id.clone(), owner, revision, times: None, spec }.json()
}

/// `DELETE /api/v1/{kind}/{name}`
pub(crate) async fn delete(context: Context) -> Result<Made, Failure> {
    let id = context.resource()?;
    context.allowed(Verb::Delete, &id)?;
    // Also of somebody else: whose it is then is told.
    one(&context, &id)?;
    let wanted = request(&context, &id, Edit::Delete(id.clone()))?;
    let changed = change(&context, wanted).await?;
    let was = changed.before.resources.get(&id);
    let was = was.map(|was| stored(&context, &changed.before, was).json()).unwrap_or_default();
    Ok(answered(&context, was, &changed)?.into())
}

fn request(context: &Context, id: &ResourceId, edit: Edit) -> Result<Request, Failure> {
    Ok(Request {
        edits: vec![edit],
        conditions: context.conditions(id)?,
        author: context.who.name.to_string(),
        message: context.message(),
        dry_run: context.query.is_set("dry_run")?,
        ..Request::default()
    })
}

/// The answer to a write.
pub(crate) fn answered(
    context: &Context,
    data: Value,
    changed: &Changed,
) -> Result<Answer, Failure> {
    let dry_run = context.query.is_set("dry_run")?;
    let warnings = serde_json::to_value(&changed.warnings).unwrap_or_default();
    let answer = Answer::of(data)
        .meta("revision", changed.revision)
        .meta("changed", changed.is_change())
        .meta("dry_run", dry_run)
        .meta("warnings", warnings);
    let revision = (changed.is_change() && !dry_run).then_some(changed.revision);
    Ok(Answer { revision, ..answer })
}

fn relative(mut failure: Failure, id: &ResourceId) -> Failure {
    let own = id.to_string();
    for problem in &mut failure.problems {
        if let Some(rest) = problem.path.strip_prefix(&own) {
            problem.path = rest.trim_start_matches('.').to_owned();
        }
    }
    failure
}

/// A spec as it would stand in a document, masked.
pub(crate) fn in_document(context: &Context, id: &ResourceId, spec: &Value) -> Value {
    named(id, &masked(context.ledger().catalog(), id, spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, takes) in [
            ("shop", "shop", true),
            ("shop", "shops", false),
            ("shop-*", "shop-a", true),
            ("*-a", "shop-a", true),
            ("*o*a", "shop-a", true),
            ("s*x*a", "shop-a", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(glob(pattern, text), takes, "{pattern} {text}");
        }
    }

    #[test]
    fn a_merge_patch_does_as_the_rfc_says() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, patch.clone());
            assert_eq!(merged, result, "{target} {patch}");
        }
    }
}
