//! `portway token`.

use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};

use super::client;
use crate::{
    remote::{
        args::{Form, Role, Token, TokenCreate, TokenDebug, TokenVerb},
        client::{Client, Request, escaped},
        show::{self, items, moment, text},
    },
    terminal::{self, columns, print},
};

pub(super) async fn token(args: &Token) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    match &args.verb {
        TokenVerb::Create(create) => made(&client, create).await,
        TokenVerb::Debug(debug) => made_for_debugging(&client, debug).await,
        TokenVerb::List { output } => {
            let said = client.ask(Request::get("/tokens")).await?;
            show::value(output.form, &said.data, table)?;
            Ok(ExitCode::SUCCESS)
        }
        TokenVerb::Delete { names } => {
            for name in names {
                let path = format!("/tokens/{}", escaped(name));
                client.ask(Request::new(Method::DELETE, &path)).await?;
                print(&format!("token {name} deleted\n"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A list in one cell; an empty one is everything.
fn all(token: &Value, at: &str) -> String {
    let list = items(token, at).iter().map(|one| text(one, "")).collect::<Vec<_>>();
    if list.is_empty() { "*".to_owned() } else { list.join(",") }
}

fn table(tokens: &Value) -> String {
    let row = |token: &Value| {
        let or_never = |at: &str| match text(token, at) {
            time if time.is_empty() => "never".to_owned(),
            time => time,
        };
        vec![
            text(token, "/name"),
            text(token, "/role"),
            all(token, "/namespaces"),
            all(token, "/kinds"),
            or_never("/expires_at"),
            match text(token, "/last_used_at") {
                time if time.is_empty() => "never".to_owned(),
                time => moment::ago(&time),
            },
        ]
    };
    let headings = ["NAME", "ROLE", "NAMESPACES", "KINDS", "EXPIRES", "USED"];
    columns(&headings, &items(tokens, "").iter().map(row).collect::<Vec<_>>())
}

async fn made(client: &Client, args: &TokenCreate) -> anyhow::Result<ExitCode> {
    let role = match args.role {
        Role::Viewer => "viewer",
        Role::Editor => "editor",
        Role::Admin => "admin",
    };
    let mut body = json!({ "name": args.name, "role": role });
    let lists = [("namespaces", &args.namespaces), ("kinds", &args.kinds), ("verbs", &args.verbs)];
    for (key, list) in lists {
        if !list.is_empty() {
            body[key] = json!(list);
        }
    }
    if let Some(expires) = &args.expires {
        body["expires"] = expires.as_str().into();
    }
    let said = client.ask(Request::post("/tokens").json(&body)).await?;
    show::value(args.output.form, &said.data, |data| format!("{}\n", text(data, "/token")))?;
    if args.output.form == Form::Table {
        terminal::note(&format!("token {}: it is shown this once", args.name));
    }
    Ok(ExitCode::SUCCESS)
}

async fn made_for_debugging(client: &Client, args: &TokenDebug) -> anyhow::Result<ExitCode> {
    let mut body = json!({ "expires": args.expires });
    if let Some(route) = &args.route {
        body["route"] = route.as_str().into();
    }
    let said = client.ask(Request::post("/debug-tokens").json(&body)).await?;
    show::value(args.output.form, &said.data, |data| {
        format!("{}: {}\n", text(data, "/header"), text(data, "/token"))
    })?;
    Ok(ExitCode::SUCCESS)
}
