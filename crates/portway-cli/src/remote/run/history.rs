//! `portway history`, `show`, `rollback` and `audit`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{apply, client, pages, warn};
use crate::{
    remote::{
        args::{Audit, Form, History, Rollback, Show},
        client::Request,
        show::{self, diff, items, moment, text},
    },
    terminal::columns,
};

pub(super) async fn history(args: &History) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let request = Request::get("/revisions");
    let revisions = Value::Array(pages(&client, &request, Some(args.limit)).await?);
    show::value(args.output.form, &revisions, |revisions| {
        let row = |one: &Value| {
            vec![
                text(one, "/revision"),
                moment::ago(&text(one, "/time")),
                text(one, "/author"),
                diff::short(&one["summary"]),
                touched(one),
                text(one, "/message"),
            ]
        };
        let headings = ["REVISION", "AGO", "AUTHOR", "CHANGES", "RESOURCES", "MESSAGE"];
        columns(&headings, &items(revisions, "").iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The first resources a revision changed.
pub(super) fn touched(revision: &Value) -> String {
    const SHOWN: usize = 3;
    let changes = items(revision, "/changes");
    let mut names = changes.iter().take(SHOWN).map(diff::named).collect::<Vec<_>>();
    if changes.len() > SHOWN {
        names.push(format!("{} more", changes.len() - SHOWN));
    }
    names.join(", ")
}

pub(super) async fn show(args: &Show) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let said = client.ask(Request::get(&format!("/revisions/{}", args.revision))).await?;
    show::value(args.output.form, &said.data, |one| {
        let mut head = format!("revision {}\n", text(one, "/revision"));
        for (word, at) in [("time", "/time"), ("author", "/author"), ("message", "/message")] {
            let value = text(one, at);
            if !value.is_empty() {
                head += &format!("{word:<8} {value}\n");
            }
        }
        format!("{head}\n{}", diff::unified(items(one, "/changes")))
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn rollback(args: &Rollback) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let mut body = json!({ "revision": args.revision });
    if let Some(message) = &args.edit.message {
        body["message"] = message.as_str().into();
    }
    let request = Request::post("/rollback")
        .flag("dry_run", args.edit.dry_run)
        .flag("force", args.edit.force)
        .json(&body);
    let said = client.ask(request).await?;
    warn(&said.meta);
    if args.output.form == Form::Table && args.edit.dry_run {
        crate::terminal::print(&diff::unified(items(&said.data, "")))?;
    }
    apply::changed(&said, &args.edit, args.output.form)
}

pub(super) async fn audit(args: &Audit) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let records = Value::Array(pages(&client, &Request::get("/audit"), Some(args.limit)).await?);
    show::value(args.output.form, &records, |records| {
        let row = |one: &Value| {
            let at = ["/author", "/client", "/method", "/path", "/status", "/revision"];
            let ago = moment::ago(&text(one, "/time"));
            [ago].into_iter().chain(at.map(|at| text(one, at))).collect()
        };
        let headings = ["AGO", "AUTHOR", "CLIENT", "METHOD", "PATH", "STATUS", "REVISION"];
        columns(&headings, &items(records, "").iter().map(row).collect::<Vec<Vec<_>>>())
    })?;
    Ok(ExitCode::SUCCESS)
}
