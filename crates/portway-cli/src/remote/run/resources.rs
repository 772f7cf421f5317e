//! `portway get`, `list`, `put`, `patch` and `delete`.

use std::{path::Path, process::ExitCode};

use anyhow::bail;
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::{at_revision, client, edited, guarded, pages, warn};
use crate::{
    remote::{
        args::{Delete, Edit, Form, Get, List, Patch, Put},
        client::{Client, Failure, Refusal, Request, Said, escaped},
        files,
        kinds::{Kind, Kinds},
        pairs, show,
    },
    terminal::{self, PROBLEMS, UsageError, print},
};

pub(super) async fn get(args: &Get) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let kinds = Kinds::of(&client).await?;
    let kind = kinds.find(&args.kind)?;
    one(&client, kind, &args.name, client.namespace(&args.scope), args.output.form).await
}

/// Shows one resource.
pub(super) async fn one(
    client: &Client,
    kind: &Kind,
    name: &str,
    namespace: Option<&str>,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let said = client.ask(Request::get(&place(kind, name)).maybe("namespace", namespace)).await?;
    // For people, the table would leave out most of it.
    let form = if form == Form::Table { Form::Yaml } else { form };
    show::value(form, &said.data, |_| String::new())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn list(args: &List) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let kinds = Kinds::of(&client).await?;
    if args.kind == "kinds" {
        return all_kinds(&kinds, args.output.form);
    }
    let kind = kinds.find(&args.kind)?;
    let namespace = client.namespace(&args.scope);
    several(&client, kind, &args.filter, namespace, args.output.form).await
}

/// Lists the resources of a kind.
pub(super) async fn several(
    client: &Client,
    kind: &Kind,
    filter: &crate::remote::args::Filter,
    namespace: Option<&str>,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let namespace = namespace.filter(|_| kind.namespaced);
    let mut request = Request::get(&format!("/{}", kind.plural))
        .maybe("namespace", namespace)
        .maybe("name", filter.name.as_deref())
        .maybe("owner", filter.owner.as_deref());
    for label in &filter.labels {
        request = request.query("label", label);
    }
    let views = Value::Array(pages(client, &request, filter.limit).await?);
    show::value(form, &views, |views| show::tables::resources(&kind.kind, show::items(views, "")))?;
    if form == Form::Table && show::items(&views, "").is_empty() {
        terminal::note(&format!("there are no {}", kind.plural));
    }
    Ok(ExitCode::SUCCESS)
}

fn all_kinds(kinds: &Kinds, form: Form) -> anyhow::Result<ExitCode> {
    let short = |kind: &Kind| kind.short.clone().unwrap_or_default();
    if form == Form::Table {
        let row = |kind: &Kind| vec![kind.kind.clone(), kind.plural.clone(), short(kind)];
        let rows = kinds.0.iter().map(row).collect::<Vec<_>>();
        print(&terminal::columns(&["KIND", "PLURAL", "SHORT"], &rows))?;
        return Ok(ExitCode::SUCCESS);
    }
    let object = |kind: &Kind| {
        serde_json::json!({
            "kind": kind.kind,
            "plural": kind.plural,
            "short": kind.short,
            "namespaced": kind.namespaced,
            "schema": kind.schema,
        })
    };
    show::value(form, &kinds.0.iter().map(object).collect(), |_| String::new())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn put(args: &Put) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let kinds = Kinds::of(&client).await?;
    let kind = kinds.find(&args.kind)?;
    let request = Request::new(Method::PUT, &place(kind, &args.name));
    let request = guarded(request, args.guard.if_match.as_deref(), args.guard.is_new);
    let request = edited(request, &args.edit)
        .maybe("namespace", client.namespace(&args.scope).filter(|_| kind.namespaced));
    let Some(told) = told(kind, &args.pairs, args.file.as_deref(), true)? else {
        return Ok(ExitCode::from(PROBLEMS));
    };
    send(&client, request, told, &args.edit, args.output.form).await
}

pub(super) async fn patch(args: &Patch) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let kinds = Kinds::of(&client).await?;
    let kind = kinds.find(&args.kind)?;
    if args.pairs.is_empty() && args.file.is_none() {
        bail!(UsageError("say what changes: KEY=VALUE, or -f FILE".to_owned()));
    }
    let request = Request::new(Method::PATCH, &place(kind, &args.name));
    let request = guarded(request, args.if_match.as_deref(), false);
    let request = edited(request, &args.edit)
        .maybe("namespace", client.namespace(&args.scope).filter(|_| kind.namespaced));
    let Some(told) = told(kind, &args.pairs, args.file.as_deref(), false)? else {
        return Ok(ExitCode::from(PROBLEMS));
    };
    send(&client, request, told, &args.edit, args.output.form).await
}

pub(super) async fn delete(args: &Delete) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let kinds = Kinds::of(&client).await?;
    let kind = kinds.find(&args.kind)?;
    let namespace = client.namespace(&args.scope);
    let guard = args.if_match.as_deref();
    gone(&client, kind, &args.names, namespace, guard, &args.edit, args.output.form).await
}

/// Deletes some resources, one after the other.
pub(super) async fn gone(
    client: &Client,
    kind: &Kind,
    names: &[String],
    namespace: Option<&str>,
    guard: Option<&str>,
    edit: &Edit,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let mut views = Vec::new();
    for name in names {
        let request = guarded(Request::new(Method::DELETE, &place(kind, name)), guard, false)
            .maybe("namespace", namespace.filter(|_| kind.namespaced));
        let said = client.ask(edited(request, edit)).await?;
        warn(&said.meta);
        if form == Form::Table {
            let would = if edit.dry_run { "would be deleted" } else { "deleted" };
            print(&format!("{} {would}{}\n", named(kind, &said.data, name), at_revision(&said)))?;
        }
        views.push(said.data);
    }
    match (form, views.as_slice()) {
        (Form::Table, _) => {}
        (form, [one]) => show::value(form, one, |_| String::new())?,
        (form, _) => show::value(form, &Value::Array(views), |_| String::new())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What was said about a resource, and where.
pub(super) struct Told {
    pub(super) spec: Value,
    file: Option<(std::path::PathBuf, String, portway::config::Tree)>,
}

/// What a file and pairs say about a resource; `None` when that was wrong, and told.
pub(super) fn told(
    kind: &Kind,
    texts: &[String],
    file: Option<&Path>,
    is_whole: bool,
) -> anyhow::Result<Option<Told>> {
    let (words, given) = pairs::sorted(texts);
    if let Some(word) = words.first() {
        bail!(UsageError(format!("{word:?} is no KEY=VALUE, KEY:=JSON or KEY@=FILE")));
    }
    whole(kind, &given, file, is_whole)
}

/// The same, of pairs that were read.
pub(super) fn whole(
    kind: &Kind,
    given: &[pairs::Pair],
    file: Option<&Path>,
    is_whole: bool,
) -> anyhow::Result<Option<Told>> {
    let (mut spec, notes) = pairs::spec(kind, given)?;
    notes.iter().for_each(|note| terminal::warn(note));
    let mut source = None;
    if let Some(path) = file {
        let (text, tree) = files::read(path)?;
        match tree {
            Err(problems) => {
                terminal::file_problems(path, &problems, &text);
                return Ok(None);
            }
            Ok(tree) => {
                let mut said = bare(tree.to_json())?;
                merge(&mut said, spec);
                spec = said;
                source = Some((path.to_owned(), text, tree));
            }
        }
    }
    if is_whole && file.is_none() {
        pairs::complete(kind, &spec)?;
    }
    Ok(Some(Told { spec, file: source }))
}

/// The resource itself, also of what `portway get -o yaml` prints.
fn bare(said: Value) -> anyhow::Result<Value> {
    match said {
        Value::Object(mut map) if map.contains_key("spec") && map.contains_key("kind") => {
            Ok(map.remove("spec").unwrap_or_default())
        }
        Value::Object(map) => Ok(Value::Object(map)),
        _ => bail!(UsageError("the file does not hold a resource: it is no map".to_owned())),
    }
}

/// What is said later wins, key by key.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Object(Map::new())), value);
            }
        }
        (into, more) => *into = more,
    }
}

/// Sends what was told of one resource, and says what came of it.
pub(super) async fn send(
    client: &Client,
    request: Request,
    told: Told,
    edit: &Edit,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let said = match client.ask(request.json(&told.spec)).await {
        Ok(said) => said,
        Err(failure) => return refused(failure, told),
    };
    warn(&said.meta);
    if form != Form::Table {
        show::value(form, &said.data, |_| String::new())?;
        return Ok(ExitCode::SUCCESS);
    }
    let Said { data, meta } = &said;
    let verb = match (meta["changed"] == false, edit.dry_run) {
        (true, _) => "unchanged",
        (false, true) => "would be changed",
        (false, false) => "saved",
    };
    print(&format!("{} {verb}{}\n", show::diff::named(data), at_revision(&said)))?;
    Ok(ExitCode::SUCCESS)
}

/// What is wrong with a resource is shown where it stands in its file.
fn refused(failure: Failure, told: Told) -> anyhow::Result<ExitCode> {
    let Some((path, text, tree)) = told.file else { return Err(failure.into()) };
    if !failure.has_status(StatusCode::UNPROCESSABLE_ENTITY)
        && !failure.has_status(StatusCode::BAD_REQUEST)
    {
        return Err(failure.into());
    }
    let Failure::Refused(refusal) = failure else { return Err(failure.into()) };
    let Refusal { problems, .. } = *refusal;
    let root = tree.to_json();
    let is_view = root.get("spec").is_some() && root.get("kind").is_some();
    let located = problems.into_iter().map(|said| {
        let mut problem = said.problem();
        if is_view {
            problem.path = format!("spec.{}", problem.path).trim_end_matches('.').to_owned();
        }
        problem.place = Some(tree.place(&problem.path));
        problem
    });
    terminal::file_problems(&path, &located.collect::<Vec<_>>(), &text);
    Ok(ExitCode::from(PROBLEMS))
}

/// The path of a resource.
pub(super) fn place(kind: &Kind, name: &str) -> String {
    format!("/{}/{}", kind.plural, escaped(name))
}

fn named(kind: &Kind, view: &Value, name: &str) -> String {
    if view["name"].is_string() {
        return show::diff::named(view);
    }
    format!("{} {name}", kind.kind)
}
