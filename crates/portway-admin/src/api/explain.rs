//! Why a request goes where it goes.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use portway_config::{Checked, Config, Target, value::Name};
use portway_core::explain::{Candidate, Condition, Question, Trace, trace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
    status::running,
};
use crate::access::{Verb, Who};

/// A request that nobody has sent.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explain {
    /// The method. Without it, `GET`.
    #[serde(default = "get")]
    method: String,
    /// The URL, such as `https://shop.example.com/items/1?page=2`.
    url: String,
    /// Header fields.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The listener it comes by. Without it, the first one that takes requests.
    #[serde(default)]
    listener: Option<String>,
}

fn get() -> String {
    "GET".to_owned()
}

/// `POST /api/v1/explain`
pub(crate) fn explain(context: &Context) -> Result<Made, Failure> {
    let asked: Explain = context.object()?;
    let bad = |what: &str| Failure::bad_request("bad_value", format!("{what} cannot be asked for"));
    let method: Method = asked.method.parse().map_err(|_| bad("this method"))?;
    let url: Uri = asked.url.parse().map_err(|_| bad("this URL"))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &asked.headers {
        let name: HeaderName = name.parse().map_err(|_| bad("this header field"))?;
        let value = HeaderValue::try_from(value).map_err(|_| bad("this header field"))?;
        headers.append(name, value);
    }
    let named = headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = url.host().or(named).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let running = running(context)?;
    let question = Question {
        method: &method,
        host: &host,
        path: if url.path().is_empty() { "/" } else { url.path() },
        query: url.query(),
        headers: &headers,
        listener: asked.listener.as_deref(),
    };
    let config = running.config();
    let traced = trace(config, &question)
        .map_err(|why| Failure::new(http::StatusCode::UNPROCESSABLE_ENTITY, "unanswered", why))?;
    let namespace = traced.route.map(|route| route.meta.namespace.as_str());
    context.who.allows(Verb::Explain, "route", namespace)?;
    Ok(Answer::of(visible(&context.who, told(config, &traced, &host))).into())
}

/// What somebody may see of it: of routes in namespaces that are not theirs, people learn nothing.
pub(crate) fn visible(who: &Who, mut told: Value) -> Value {
    if let Some(candidates) = told.get_mut("candidates").and_then(Value::as_array_mut) {
        candidates.retain(|one| {
            let namespace = one["namespace"].as_str();
            who.allows(Verb::Explain, "route", namespace).is_ok()
        });
    }
    told
}

pub(crate) fn told(config: &Checked<Config>, traced: &Trace<'_>, host: &str) -> Value {
    let seen = traced.candidates.iter();
    let chain = traced.chain.iter().flat_map(|chain| &chain.steps).map(|step| {
        let plugin = config.plugs().get(&step.id).map(|plugged| plugged.instance.name());
        json!({
            "plugin": plugin,
            "name": step.called,
            "level": level(&step.level),
            "condition": step.attachment.when,
            "dry_run": step.attachment.dry_run,
        })
    });
    json!({
        "listener": traced.listener.meta.name.as_str(),
        "host": host,
        "domain": traced.belonging.domain.map(|(domain, pattern)| json!({
            "name": domain.meta.name.as_str(),
            "pattern": pattern.as_str(),
        })),
        "path": traced.path,
        "candidates": seen.map(candidate).collect::<Vec<_>>(),
        "others": traced.others,
        "namespace": traced.belonging.namespace.as_ref().map(Name::as_str),
        "route": traced.route.map(|route| route.meta.name.as_str()),
        "chain": chain.collect::<Vec<_>>(),
        "target": traced.route.and_then(|route| route.target.as_ref()).map(target),
        "status": traced.route.is_none().then(|| status(traced)),
    })
}

fn candidate(one: &Candidate<'_>) -> Value {
    let row = &one.row;
    let detail = match one.ruled_out_by {
        None | Some(Condition::Certificate) => None,
        Some(Condition::Listener) => Some(json!(row.route.listeners)),
        Some(Condition::Host) => row.host.map(|host| json!(host)),
        Some(Condition::Path) => row.conditions.path.as_ref().map(|path| json!(path)),
        Some(Condition::Header(at)) => row.conditions.headers.get(at).map(|one| json!(one)),
        Some(Condition::Query(at)) => row.conditions.query.get(at).map(|one| json!(one)),
        Some(Condition::Method) => Some(json!(row.conditions.methods)),
    };
    json!({
        "namespace": row.route.meta.namespace.as_str(),
        "route": row.route.meta.name.as_str(),
        "ruled_out_by": one.ruled_out_by.map(word),
        "detail": detail,
    })
}

fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::Listener => "listener",
        Condition::Host => "host",
        Condition::Path => "path",
        Condition::Header(_) => "header",
        Condition::Query(_) => "query",
        Condition::Certificate => "client_certificate",
        Condition::Method => "method",
    }
}

fn level(level: &portway_config::Level) -> &'static str {
    use portway_config::Level as L;
    match level {
        L::Global => "global",
        L::Listener(..) => "listener",
        L::Service(..) => "service",
        L::Route(..) => "route",
        L::Endpoint(..) => "endpoint",
    }
}

/// Where a route leads, without the content of what it sends itself.
fn target(target: &Target) -> Value {
    match target {
        Target::Service(name) => json!({ "service": name.as_str() }),
        Target::Services(shares) => json!({ "services": shares }),
        Target::Files(_) => json!("files"),
        Target::Reply(reply) => json!({ "reply": reply.status }),
        Target::Redirect(redirect) => json!({ "redirect": redirect }),
    }
}

/// What is answered where no route takes a request.
fn status(traced: &Trace<'_>) -> u16 {
    let by_method = |one: &Candidate<'_>| one.ruled_out_by == Some(Condition::Method);
    if traced.candidates.iter().any(by_method) { 405 } else { 404 }
}
