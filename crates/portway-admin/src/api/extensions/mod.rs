//! Routes that the gateway does not have by itself: those of the program that hosts it, and those
//! of instances of plugins.
//!
//! Whoever asks has been let in like anybody else before anything here is looked at. It never takes
//! a path that the API has: `/api/v1/extensions/<name>` is the program's, and
//! `/api/v1/plugins/<name>/extension` an instance's; what follows is theirs to understand.

mod answer;
mod mounted;

use std::sync::Arc;

use http::{Method, Request, Uri, request::Parts, uri::PathAndQuery};
use portway_config::{Kind, Role, value::Name};
use portway_core::Body;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
    query::Query,
    service::Inner,
    status::{running, running_of},
};
use crate::access::{Verb, Who};
use answer::answered;
pub use mounted::{Extension, Extensions};

/// Below what programs mount theirs.
const PROGRAM: &str = "/api/v1/extensions/";
/// The word behind the name of an instance.
const INSTANCE: &str = "extension";
/// The kind of programs' routes, for rights.
const KIND: &str = "extension";

/// Whose route is asked for, and what follows its own path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    /// The program's, by its name.
    Program(&'a str, &'a str),
    /// An instance's, by its name.
    Instance(&'a str, &'a str),
}

/// Whether one is asked for.
pub(crate) fn asked(path: &str) -> Option<Asked<'_>> {
    if let Some(below) = path.strip_prefix(PROGRAM) {
        let (name, rest) = split(below);
        return Some(Asked::Program(name, rest));
    }
    let (kind, below) = split(path.strip_prefix("/api/v1/")?);
    let (name, below) = split(below.strip_prefix('/')?);
    let (word, rest) = split(below.strip_prefix('/')?);
    let is_one = Kind::called(kind) == Some(Kind::Plugin) && word == INSTANCE;
    is_one.then_some(Asked::Instance(name, rest))
}

/// The first segment, and what follows it with its slash.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.find('/').unwrap_or(path.len()))
}

/// What it answers.
pub(crate) async fn answer(
    api: Arc<Inner>,
    head: Parts,
    body: Body,
    who: &Who,
) -> Result<Made, Failure> {
    let path = head.uri.path().to_owned();
    let verb = verb(&head.method);
    match asked(&path) {
        Some(Asked::Program(name, rest)) => {
            who.allows(verb, KIND, None)?;
            let extension = api.extensions.get(name).ok_or_else(|| nothing(&path))?;
            who.is_at_least(extension.role())?;
            let request = below(head, body, rest, who)?;
            answered(extension.ask(request)).await
        }
        Some(Asked::Instance(name, rest)) => {
            let name: Name = name.parse().map_err(|_| nothing(&path))?;
            let query = Query::read(head.uri.query());
            let namespace: Name = query.parsed("namespace")?.unwrap_or_default();
            who.allows(verb, Kind::Plugin.singular(), Some(namespace.as_str()))?;
            let running = running_of(&api)?;
            let request = below(head, body, rest, who)?;
            let asked = running.administer(&namespace, &name, request);
            answered(asked.ok_or_else(|| nothing(&path))?).await
        }
        None => Err(nothing(&path)),
    }
}

/// `GET /api/v1/extensions`
pub(crate) fn list(context: &Context) -> Result<Made, Failure> {
    context.who.allows_somewhere(Verb::List, KIND)?;
    let running = running(context)?;
    let is_whole = context.who.grant.takes_namespace(None);
    let of_program = context.api.extensions.iter().filter(|_| is_whole).map(|one| {
        json!({
            "path": format!("{PROGRAM}{}", one.name()),
            "role": one.role(),
            "plugin": Value::Null,
            "namespace": Value::Null,
        })
    });
    let visible = |namespace: &Name| {
        context.who.allows(Verb::Get, Kind::Plugin.singular(), Some(namespace.as_str())).is_ok()
    };
    let mut instances = running.administered();
    instances.retain(|(namespace, ..)| visible(namespace));
    instances.sort();
    let of_instances = instances.into_iter().map(|(namespace, name, plugin)| {
        json!({
            "path": format!("/api/v1/plugins/{name}/{INSTANCE}"),
            "role": Role::Viewer,
            "plugin": plugin,
            "namespace": namespace,
        })
    });
    let all: Vec<_> = of_program.chain(of_instances).collect();
    Ok(Answer::of(all).into())
}

/// What is done there, as rights have it.
fn verb(method: &Method) -> Verb {
    match method.as_str() {
        "GET" | "HEAD" => Verb::Get,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        _ => Verb::Put,
    }
}

/// The request as whoever answers it sees it: with the path below its own, and with who asks in
/// the extensions. Credentials stay here.
fn below(head: Parts, body: Body, rest: &str, who: &Who) -> Result<Request<Body>, Failure> {
    let rest = if rest.is_empty() { "/" } else { rest };
    let target = match head.uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    let target = PathAndQuery::try_from(target);
    let target = target.map_err(|_| Failure::bad_request("bad_path", "the path is none"))?;
    let Parts { method, version, mut headers, extensions, .. } = head;
    headers.remove(http::header::AUTHORIZATION);
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from(target);
    *request.version_mut() = version;
    *request.headers_mut() = headers;
    *request.extensions_mut() = extensions;
    request.extensions_mut().insert(who.clone());
    Ok(request)
}

fn nothing(path: &str) -> Failure {
    Failure::not_found(format!("nothing is at {path}; /api/v1/extensions lists what is there"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_one_and_what_is_below_it() {
        use Asked::{Instance, Program};
        for (path, expected) in [
            ("/api/v1/extensions/my", Some(Program("my", ""))),
            ("/api/v1/extensions/my/", Some(Program("my", "/"))),
            ("/api/v1/extensions/my/a//b", Some(Program("my", "/a//b"))),
            ("/api/v1/extensions/my/../../tokens", Some(Program("my", "/../../tokens"))),
            ("/api/v1/extensions/", Some(Program("", ""))),
            ("/api/v1/extensions", None),
            ("/api/v1/extensionsmy", None),
            ("/api/v1/plugins/p/extension", Some(Instance("p", ""))),
            ("/api/v1/pl/p/extension/a", Some(Instance("p", "/a"))),
            ("/api/v1/plugins/p/extensions", None),
            ("/api/v1/plugins/p", None),
            ("/api/v1/routes/p/extension", None),
            ("/api/v1/plugins", None),
            ("/", None),
        ] {
            assert_eq!(asked(path), expected, "{path}");
        }
    }

    /// An operation of the API is never taken for one.
    #[test]
    fn the_api_keeps_its_paths() {
        for operation in super::super::operation::OPERATIONS {
            let example = operation.path.replace("{kind}", "plugins").replace(['{', '}'], "");
            assert_eq!(asked(&example), None, "{example}");
        }
    }
}
