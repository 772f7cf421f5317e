//! `portway document`.

use std::{path::Path, process::ExitCode};

use anyhow::bail;
use http::Method;
use serde_json::Value;

use super::{client, guarded, pages, warn};
use crate::{
    remote::{
        args::{
            Collection, Document, DocumentDelete, DocumentList, DocumentOne, DocumentPut,
            DocumentVerb, Form,
        },
        client::{Client, Request, escaped},
        files,
        pairs::{self, Given, Pair},
        show::{self, items, moment, text},
    },
    terminal::{self, PROBLEMS, UsageError, columns},
};

pub(super) async fn document(args: &Document) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    match &args.verb {
        DocumentVerb::Put(put) => made(&client, put).await,
        DocumentVerb::Get(one) => got(&client, one).await,
        DocumentVerb::List(list) => listed(&client, list).await,
        DocumentVerb::Delete(delete) => gone(&client, delete).await,
    }
}

/// What arguments and options say about which document is meant.
#[derive(Debug)]
struct Which {
    id: Option<String>,
    collection: String,
    namespace: Option<String>,
    data: Option<Pair>,
}

fn which(
    client: &Client,
    arguments: &[String],
    collection: &Collection,
    needs: &[&str],
) -> anyhow::Result<Which> {
    let (mut ids, mut pairs) = pairs::sorted(arguments);
    ids.extend(pairs::take(&mut pairs, "id")?);
    let named = pairs::take(&mut pairs, "collection")?.or_else(|| collection.collection.clone());
    let own = pairs::take(&mut pairs, "namespace")?;
    let namespace = own.or_else(|| client.namespace(&collection.scope).map(str::to_owned));
    let data = pairs.iter().position(|pair| pair.key == "data").map(|at| pairs.remove(at));
    if let Some(other) = pairs.first() {
        let message = format!(
            "a document has no key {:?}; there are id, collection, namespace, data",
            other.key
        );
        bail!(UsageError(message));
    }
    let lacks = |need: &&&str| match **need {
        "id" => ids.is_empty(),
        "collection" => named.is_none(),
        "data" => data.is_none(),
        _ => false,
    };
    let missing = needs.iter().filter(lacks).copied().collect::<Vec<_>>();
    let (false, Some(collection)) = (!missing.is_empty(), named) else {
        let verb = if missing.len() == 1 { "is" } else { "are" };
        bail!(UsageError(format!("a document needs more: {} {verb} missing", missing.join(", "))));
    };
    if ids.len() > 1 {
        bail!(UsageError(format!("{:?} is one id too many", ids[1])));
    }
    Ok(Which { id: ids.pop(), collection, namespace, data })
}

impl Which {
    fn request(&self, method: Method) -> Request {
        let path = match &self.id {
            Some(id) => format!("/documents/{}", escaped(id)),
            None => "/documents".to_owned(),
        };
        Request::new(method, &path)
            .maybe("namespace", self.namespace.as_deref())
            .query("collection", &self.collection)
    }

    fn named(&self) -> String {
        let id = self.id.as_deref().unwrap_or("*");
        format!("document {}/{id}", self.collection)
    }
}

async fn made(client: &Client, args: &DocumentPut) -> anyhow::Result<ExitCode> {
    let needs: &[&str] = match args.file {
        Some(_) => &["id", "collection"],
        None => &["id", "collection", "data"],
    };
    let which = which(client, &args.pairs, &args.collection, needs)?;
    let data = match (&which.data, &args.file) {
        (Some(Pair { value: Given::File(file), .. }), _) => read(Path::new(file))?,
        (Some(pair), _) => Some(pair.value()?),
        (None, Some(file)) => read(file)?,
        (None, None) => None,
    };
    let Some(data) = data else { return Ok(ExitCode::from(PROBLEMS)) };
    let request = which.request(Method::PUT);
    let request = guarded(request, args.guard.if_match.as_deref(), args.guard.is_new);
    let said = client.ask(request.flag("dry_run", args.dry_run).json(&data)).await?;
    warn(&said.meta);
    show::value(args.output.form, &said.data, |_| {
        let done = match args.dry_run {
            true => "would be changed".to_owned(),
            false => format!("saved, revision {}", text(&said.data, "/revision")),
        };
        format!("{} {done}\n", which.named())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a file says; `None` when it says nothing that can be read, which is told.
fn read(path: &Path) -> anyhow::Result<Option<Value>> {
    let (text, tree) = files::read(path)?;
    match tree {
        Ok(tree) => Ok(Some(tree.to_json())),
        // A document may be any text.
        Err(_) if path.extension().is_some_and(|ending| ending == "txt") => Ok(Some(text.into())),
        Err(problems) => {
            terminal::file_problems(path, &problems, &text);
            Ok(None)
        }
    }
}

async fn got(client: &Client, args: &DocumentOne) -> anyhow::Result<ExitCode> {
    let which = which(client, &args.pairs, &args.collection, &["id", "collection"])?;
    let said = client.ask(which.request(Method::GET)).await?;
    let form = if args.output.form == Form::Table { Form::Yaml } else { args.output.form };
    show::value(form, &said.data, |_| String::new())?;
    Ok(ExitCode::SUCCESS)
}

async fn listed(client: &Client, args: &DocumentList) -> anyhow::Result<ExitCode> {
    let which = which(client, &args.pairs, &args.collection, &["collection"])?;
    let all = pages(client, &which.request(Method::GET), args.limit).await?;
    show::value(args.output.form, &Value::Array(all), |all| {
        let row = |one: &Value| {
            let data: String = one["data"].to_string().chars().take(60).collect();
            let changed = moment::ago(&text(one, "/updated_at"));
            vec![text(one, "/id"), text(one, "/revision"), changed, data]
        };
        let rows = items(all, "").iter().map(row).collect::<Vec<_>>();
        columns(&["ID", "REVISION", "CHANGED", "DATA"], &rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn gone(client: &Client, args: &DocumentDelete) -> anyhow::Result<ExitCode> {
    let needs: &[&str] = if args.all { &["collection"] } else { &["id", "collection"] };
    let which = which(client, &args.pairs, &args.collection, needs)?;
    if args.all && which.id.is_some() {
        bail!(UsageError("--all means every document: leave out the id".to_owned()));
    }
    let request = which.request(Method::DELETE).flag("force", args.all);
    let said = client.ask(request.flag("dry_run", args.dry_run)).await?;
    warn(&said.meta);
    show::value(args.output.form, &said.data, |_| {
        let verb = if args.dry_run { "would be deleted" } else { "deleted" };
        format!("{} {verb}\n", which.named())
    })?;
    Ok(ExitCode::SUCCESS)
}
