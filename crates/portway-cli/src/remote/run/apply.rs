//! `portway apply`, `diff`, `sync` and `export`: what files say, and what the gateway holds.

use std::process::ExitCode;

use http::{StatusCode, header};
use serde_json::{Map, Value};

use super::{client, warn};
use crate::{
    remote::{
        args::{Apply, Diff, Edit, Export, Form, Scope, Sync, Written},
        client::{Client, Failure, Request, Said},
        files::Bundle,
        progress::Progress,
        show,
    },
    terminal::{self, DIFFERENT, PROBLEMS, plural, print},
};

pub(super) async fn apply(args: &Apply) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let Ok(bundle) = Bundle::read(&args.files.files)? else { return Ok(wrong()) };
    made(&client, &bundle, &args.scope, None, &args.edit, args.output.form).await
}

pub(super) async fn sync(args: &Sync) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let Ok(bundle) = Bundle::read(&args.files.files)? else { return Ok(wrong()) };
    let prune = Prune { selector: &args.selector, all_namespaces: args.all_namespaces };
    made(&client, &bundle, &args.scope, Some(prune), &args.edit, args.output.form).await
}

pub(super) async fn diff(args: &Diff) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let said = if let Some(from) = args.from {
        let to = args.to.map(|to| to.to_string());
        let request = Request::get("/diff").query("from", &from.to_string());
        client.ask(request.maybe("to", to.as_deref())).await?
    } else {
        let Ok(bundle) = Bundle::read(&args.files)? else { return Ok(wrong()) };
        // What differs is asked for, not whether it may be done.
        let edit = Edit { dry_run: true, message: None, force: true };
        let prune = args.selector.as_deref();
        let all_namespaces = args.all_namespaces;
        let prune = prune.map(|selector| Prune { selector, all_namespaces });
        match sent(&client, &bundle, &args.scope, prune, &edit).await {
            Ok(said) => said,
            Err(failure) => return told(failure, &bundle),
        }
    };
    warn(&said.meta);
    let changes = show::items(&said.data, "");
    show::value(args.output.form, &said.data, |_| show::diff::unified(changes))?;
    if show::diff::count(changes) == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    if args.output.form == Form::Table {
        terminal::note(&show::diff::total(changes));
    }
    Ok(ExitCode::from(DIFFERENT))
}

fn wrong() -> ExitCode {
    ExitCode::from(PROBLEMS)
}

/// What is deleted that the files do not have.
#[derive(Clone, Copy)]
struct Prune<'a> {
    selector: &'a str,
    all_namespaces: bool,
}

async fn made(
    client: &Client,
    bundle: &Bundle,
    scope: &Scope,
    prune: Option<Prune<'_>>,
    edit: &Edit,
    form: Form,
) -> anyhow::Result<ExitCode> {
    match sent(client, bundle, scope, prune, edit).await {
        Ok(said) => {
            warn(&said.meta);
            changed(&said, edit, form)
        }
        Err(failure) => told(failure, bundle),
    }
}

async fn sent(
    client: &Client,
    bundle: &Bundle,
    scope: &Scope,
    prune: Option<Prune<'_>>,
    edit: &Edit,
) -> Result<Said, Failure> {
    let request = Request::post("/apply")
        .maybe("prune", prune.map(|prune| prune.selector))
        .flag("all_namespaces", prune.is_some_and(|prune| prune.all_namespaces))
        .maybe("namespace", client.namespace(scope));
    let progress = Progress::endless("asking the gateway");
    let said = client.ask(super::edited(request, edit).json(&bundle.document)).await;
    progress.clear();
    said
}

/// Applies a document that stands in no file.
pub(super) async fn document(
    client: &Client,
    document: &Value,
    namespace: Option<&str>,
    edit: &Edit,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let request = Request::post("/apply").maybe("namespace", namespace);
    let said = client.ask(super::edited(request, edit).json(document)).await?;
    warn(&said.meta);
    changed(&said, edit, form)
}

/// Says what was changed by one answer.
pub(super) fn changed(said: &Said, edit: &Edit, form: Form) -> anyhow::Result<ExitCode> {
    show::value(form, &said.data, |data| {
        let text = show::diff::table(show::items(data, ""), edit.dry_run);
        let revision = super::at_revision(said);
        format!("{}{revision}\n", text.trim_end())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What is wrong is shown where it stands in the files.
fn told(failure: Failure, bundle: &Bundle) -> anyhow::Result<ExitCode> {
    let is_about_them = failure.has_status(StatusCode::UNPROCESSABLE_ENTITY)
        || failure.has_status(StatusCode::BAD_REQUEST);
    match failure {
        Failure::Refused(refusal) if is_about_them && !refusal.problems.is_empty() => {
            bundle.tell(*refusal);
            if bundle.len() > 1 {
                terminal::note(&format!("nothing of {} was applied", plural(bundle.len(), "file")));
            }
            Ok(wrong())
        }
        other => Err(other.into()),
    }
}

pub(super) async fn export(args: &Export) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let accept = match args.output {
        Written::Yaml => "application/yaml",
        Written::Json => "application/json",
    };
    let request = Request::get("/export")
        .header(header::ACCEPT, accept)
        .maybe("namespace", client.namespace(&args.scope))
        .maybe("owner", args.owner.as_deref());
    // Kinds are lists of their own, so that what is said of each stands side by side.
    let requests = match args.kinds.as_slice() {
        [] => vec![request],
        kinds => kinds.iter().map(|kind| request.clone().query("kind", kind)).collect(),
    };
    let (mut text, mut whole) = (String::new(), Map::new());
    for request in requests {
        let answer = client.send(request).await?;
        let said = String::from_utf8_lossy(&answer.body);
        match serde_json::from_str::<Value>(&said) {
            Ok(Value::Object(lists)) if args.output == Written::Json => whole.extend(lists),
            // Nothing at all is an empty map.
            _ if said.trim() == "{}" => {}
            _ => text += &format!("{}\n", said.trim_end()),
        }
    }
    let text = match args.output {
        Written::Json => format!("{:#}\n", Value::Object(whole)),
        Written::Yaml if text.is_empty() => "{}\n".to_owned(),
        Written::Yaml => text,
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
