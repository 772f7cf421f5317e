//! `portway routes`.

use std::{collections::HashMap, fmt::Display, process::ExitCode};

use portway::{
    config::{
        Balance, Checked, Config, Kind, Origin, Redirect, Route, Step, Target, ValueMatch,
        value::Name,
    },
    explain::{Row, StreamRow, chains, streams, table},
};
use serde_json::{Value, json};

use crate::{
    args::{Listing, Routes},
    check::Inspected,
    locate,
    terminal::{PROBLEMS, columns, print},
};

pub(crate) fn routes(args: &Routes) -> anyhow::Result<ExitCode> {
    let files = Inspected::new(locate::files(&args.files)?);
    files.tell_problems();
    let Ok(config) = &files.config else { return Ok(ExitCode::from(PROBLEMS)) };
    if args.plugins {
        print(&plugins(config, args.output))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (rows, streams) = (table(config), streams(config));
    let balances = Balances::of(config);
    print(&match args.output {
        Listing::Table if streams.is_empty() => as_table(&rows, &balances),
        Listing::Table if rows.is_empty() => as_stream_table(&streams, &balances),
        Listing::Table => {
            format!("{}\n{}", as_table(&rows, &balances), as_stream_table(&streams, &balances))
        }
        Listing::Json => {
            let owners = Owners::of(&files, config);
            let rows = rows.iter().map(|row| as_object(row, &owners)).collect::<Vec<_>>();
            let streams = streams.iter().map(|row| as_stream_object(row, &owners));
            let streams = streams.collect::<Vec<_>>();
            format!("{:#}\n", json!({ "routes": rows, "streams": streams }))
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Whose each route is, by its namespace and its name.
struct Owners<'a>(HashMap<(&'a Name, &'a Name), Origin>);

impl<'a> Owners<'a> {
    fn of(files: &Inspected, config: &'a Checked<Config>) -> Self {
        let owners = config.routes.iter().enumerate().map(|(at, route)| {
            let id = (&route.meta.namespace, &route.meta.name);
            (id, files.owner(config, Kind::Route, at))
        });
        Self(owners.collect())
    }

    fn owner(&self, route: &'a Route) -> Option<&str> {
        self.0.get(&(&route.meta.namespace, &route.meta.name)).map(Origin::as_str)
    }
}

/// How services choose an endpoint that do so otherwise than in turn.
struct Balances<'a>(HashMap<(&'a Name, &'a Name), &'a Balance>);

impl<'a> Balances<'a> {
    fn of(config: &'a Config) -> Self {
        let services = config.services.iter().filter(|one| one.balance != Balance::default());
        let named = services.map(|one| ((&one.meta.namespace, &one.meta.name), &one.balance));
        Self(named.collect())
    }

    /// A service of a route, and how it chooses.
    fn service(&self, name: &Name, route: &Route) -> String {
        match self.0.get(&(&route.meta.namespace, name)) {
            Some(balance) => format!("{name} ({balance})"),
            None => name.to_string(),
        }
    }
}

fn as_table(rows: &[Row<'_>], balances: &Balances<'_>) -> String {
    let mut headings = vec!["PRIORITY", "HOST", "METHODS", "PATH", "CONDITIONS", "TARGET", "ROUTE"];
    let mut lines = rows.iter().map(|row| cells(row, balances)).collect::<Vec<_>>();
    // Few configurations look at more than host, method and path.
    let conditions = 4;
    if lines.iter().all(|line| line[conditions].is_empty()) {
        headings.remove(conditions);
        lines.iter_mut().for_each(|line| drop(line.remove(conditions)));
    }
    columns(&headings, &lines)
}

fn cells(row: &Row<'_>, balances: &Balances<'_>) -> Vec<String> {
    let Row { route, host, conditions } = row;
    let any = || "*".to_owned();
    vec![
        route.priority.to_string(),
        host.map_or_else(any, ToString::to_string),
        if conditions.methods.is_empty() { any() } else { join(&conditions.methods) },
        conditions.path.as_ref().map_or_else(any, ToString::to_string),
        values(row).collect::<Vec<_>>().join(", "),
        route.target.as_ref().map_or_else(String::new, |to| target(to, route, balances)),
        name(route),
    ]
}

fn as_object<'a>(row: &Row<'a>, owners: &Owners<'a>) -> Value {
    let Row { route, host, conditions } = row;
    json!({
        "priority": route.priority,
        "host": host,
        "methods": conditions.methods,
        "path": conditions.path,
        "headers": conditions.headers,
        "query": conditions.query,
        "target": route.target,
        "route": route.meta.name,
        "namespace": route.meta.namespace,
        "owner": owners.owner(route),
    })
}

/// Routes that take no requests have other things to be told by.
fn as_stream_table(rows: &[StreamRow<'_>], balances: &Balances<'_>) -> String {
    let headings = ["PROTOCOL", "LISTENERS", "SNI", "PRIORITY", "TARGET", "ROUTE"];
    let any = || "*".to_owned();
    let cells = |StreamRow { route, sni }: &StreamRow<'_>| {
        vec![
            route.protocol.as_str().to_owned(),
            if route.listeners.is_empty() { any() } else { join(&route.listeners) },
            sni.map_or_else(any, ToString::to_string),
            route.priority.to_string(),
            route.target.as_ref().map_or_else(String::new, |to| target(to, route, balances)),
            name(route),
        ]
    };
    columns(&headings, &rows.iter().map(cells).collect::<Vec<_>>())
}

fn as_stream_object<'a>(row: &StreamRow<'a>, owners: &Owners<'a>) -> Value {
    let StreamRow { route, sni } = row;
    json!({
        "protocol": route.protocol,
        "listeners": route.listeners,
        "sni": sni,
        "priority": route.priority,
        "target": route.target,
        "route": route.meta.name,
        "namespace": route.meta.namespace,
        "owner": owners.owner(route),
    })
}

/// The plugins around each route.
fn plugins(config: &Checked<Config>, output: Listing) -> String {
    let rows = chains(config);
    if output == Listing::Json {
        let rows = rows.iter().map(|row| {
            json!({
                "route": row.route.map(|route| &route.meta.name),
                "listener": row.listener.map(|listener| &listener.meta.name),
                "service": row.service.map(|service| &service.meta.name),
                "plugins": row.steps.iter().map(step_object).collect::<Vec<_>>(),
            })
        });
        return format!("{:#}\n", json!({ "chains": rows.collect::<Vec<_>>() }));
    }
    let headings = ["ROUTE", "LISTENER", "SERVICE", "LEVEL", "PLUGIN", "NAME", "REMARKS"];
    let mut lines = Vec::new();
    for row in &rows {
        let mut begin = vec![
            row.route.map_or_else(|| "(no route)".to_owned(), name),
            row.listener.map_or_else(|| "*".to_owned(), |one| one.meta.name.to_string()),
            row.service.map_or_else(|| "-".to_owned(), |one| one.meta.name.to_string()),
        ];
        if row.steps.is_empty() {
            begin.push("-".to_owned());
            lines.push(padded(begin));
            continue;
        }
        for step in &row.steps {
            let remarks = remarks(step).join(", ");
            let plugin = config.plugs().get(&step.id).map_or("", |one| one.instance.name());
            let own = [step.level.kind().to_owned(), plugin.to_owned(), step.called.to_string()];
            lines.push(begin.iter().cloned().chain(own).chain([remarks]).collect());
            // What stays the same is said once.
            begin.iter_mut().for_each(String::clear);
        }
    }
    columns(&headings, &lines)
}

/// With nothing in the columns that are left.
fn padded(mut cells: Vec<String>) -> Vec<String> {
    cells.resize(7, String::new());
    cells
}

fn step_object(step: &Step<'_>) -> Value {
    let Step { level, called, attachment, .. } = step;
    json!({
        "level": level.kind(),
        "name": called,
        "shared": attachment.shared,
        "priority": attachment.priority,
        "when": attachment.when,
        "dry_run": attachment.dry_run,
    })
}

/// What is special about an attachment.
fn remarks(step: &Step<'_>) -> Vec<String> {
    let attachment = &step.attachment;
    let mut remarks = Vec::new();
    if attachment.shared.is_some() {
        remarks.push("shared".to_owned());
    }
    if attachment.priority != 0 {
        remarks.push(format!("priority {}", attachment.priority));
    }
    if attachment.when.is_some() {
        remarks.push("conditional".to_owned());
    }
    if attachment.dry_run {
        remarks.push("dry run".to_owned());
    }
    remarks
}

/// The route, with its namespace where that is not the usual one.
fn name(route: &Route) -> String {
    let meta = &route.meta;
    if meta.namespace.is_default_namespace() {
        meta.name.to_string()
    } else {
        format!("{}/{}", meta.namespace, meta.name)
    }
}

/// The conditions on header fields and on the query.
fn values(row: &Row<'_>) -> impl Iterator<Item = String> {
    let headers = row.conditions.headers.iter().map(|header| value("", header));
    headers.chain(row.conditions.query.iter().map(|query| value("?", query)))
}

fn value<N: Display>(prefix: &str, condition: &ValueMatch<N>) -> String {
    let ValueMatch { name, exact, regex } = condition;
    match (exact, regex) {
        (Some(exact), _) => format!("{prefix}{name}={exact}"),
        (None, Some(regex)) => format!("{prefix}{name}~{regex}"),
        (None, None) => format!("{prefix}{name}"),
    }
}

fn target(target: &Target, route: &Route, balances: &Balances<'_>) -> String {
    match target {
        Target::Service(name) => format!("service {}", balances.service(name, route)),
        Target::Services(shares) => {
            let shares =
                shares.iter().map(|share| format!("{}:{}", share.service, share.weight.get()));
            format!("services {}", shares.collect::<Vec<_>>().join(", "))
        }
        Target::Files(files) => format!("files {}", files.root.display()),
        Target::Reply(reply) => format!("reply {}", reply.status),
        Target::Redirect(redirect) => format!("redirect {}", whereto(redirect)),
    }
}

/// The status, and what of the URL is replaced.
fn whereto(redirect: &Redirect) -> String {
    let Redirect { status, scheme, host, port, path, prefix } = redirect;
    let mut text = format!("{} ", u16::from(*status));
    if let Some(scheme) = scheme {
        text.push_str(&format!("{scheme}://"));
    }
    if let Some(host) = host {
        text.push_str(&host.to_string());
    }
    if let Some(port) = port {
        text.push_str(&format!(":{port}"));
    }
    if let Some(path) = path {
        text.push_str(&path.to_string());
    }
    if let Some(prefix) = prefix {
        text.push_str(&format!("{}/…", prefix.as_str().trim_end_matches('/')));
    }
    text.trim_end().to_owned()
}

fn join(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
