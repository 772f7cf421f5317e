//! `static-response` at work.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use portway_plugin::{
    Claim, Next, Plugin, Problem, Request, Response, Result,
    value::{FieldName, InvalidTemplate, LineTemplate, Quoted},
};

use super::{StaticResponseSpec, content::Content};
use crate::asked::Asked;

/// Answers requests itself.
#[derive(Debug)]
pub struct StaticResponse {
    status: StatusCode,
    /// Those that are the same for every request.
    headers: HeaderMap,
    fields: Box<[(HeaderName, LineTemplate)]>,
    content: Option<Content>,
}

impl Plugin for StaticResponse {
    const NAME: &'static str = "static-response";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = StaticResponseSpec;

    fn create(spec: StaticResponseSpec) -> Result<Self, Problem> {
        let (mut headers, fields) = fields(spec.headers)?;
        let own = spec.content_type.as_ref().map(|kind| kind.get().clone());
        let content = content(&spec.body, spec.json.as_ref(), own.as_ref())?;
        if let Some((content, kind)) = &content {
            if !spec.status.allows_body() {
                let message = format!("an answer with the status {} has no body", spec.status);
                let at = if spec.json.is_some() { "json" } else { "body" };
                return Err(Problem::new("body_not_allowed", message).at(at));
            }
            if !matches!(content, Content::Constant(bytes) if bytes.is_empty()) {
                headers.insert(header::CONTENT_TYPE, kind.clone());
            }
        }
        let content = content.map(|(content, _)| content);
        Ok(Self { status: spec.status.get(), headers, fields, content })
    }

    fn claim(&self) -> Claim {
        Claim::EveryRequest
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let asked = Asked::new(next.exchange(), &request);
        let body = self.content.as_ref().map(|content| content.render(&asked));
        let mut response = Response::new(body.unwrap_or_default());
        *response.status_mut() = self.status;
        self.headers.clone_into(response.headers_mut());
        for (name, template) in &self.fields {
            if let Some(value) = asked.field(template.get()) {
                response.headers_mut().insert(name, value);
            }
        }
        Ok(response)
    }
}

type Fields = (HeaderMap, Box<[(HeaderName, LineTemplate)]>);

fn fields(all: BTreeMap<FieldName, LineTemplate>) -> Result<Fields, Problem> {
    let (mut headers, mut fields) = (HeaderMap::new(), Vec::new());
    for (name, template) in all {
        if name.is_framing() {
            let message = format!("the field {} is set by the gateway", Quoted(name.as_str()));
            return Err(Problem::new("framing_field", message).at("headers"));
        }
        if name.as_str() == "content-type" {
            let problem = Problem::new("bad_value", "the type of the content has a key of its own");
            return Err(problem.at("headers").hint("write content_type: text/html"));
        }
        let constant = template.constant().and_then(|text| HeaderValue::try_from(text).ok());
        match constant {
            Some(value) => drop(headers.insert(name.get().clone(), value)),
            None => fields.push((name.get().clone(), template)),
        }
    }
    Ok((headers, fields.into()))
}

/// The body, if there is any, and its type.
fn content(
    body: &Option<String>,
    json: Option<&serde_json::Value>,
    own: Option<&HeaderValue>,
) -> Result<Option<(Content, HeaderValue)>, Problem> {
    let kind = |default| own.cloned().unwrap_or(HeaderValue::from_static(default));
    match (body, json) {
        (Some(_), Some(_)) => {
            let problem = Problem::new("one_of", "there are two bodies, as text and as JSON");
            Err(problem.at("json").hint("leave out body or json"))
        }
        (Some(text), None) => {
            let kind = kind("text/plain; charset=utf-8");
            let content = Content::text(text, kind.to_str().unwrap_or_default());
            Ok(Some((content.map_err(|invalid| bad_template(&invalid).at("body"))?, kind)))
        }
        (None, Some(value)) => {
            let content = Content::json(value);
            let content = content.map_err(|invalid| bad_template(&invalid).at("json"))?;
            Ok(Some((content, kind("application/json"))))
        }
        (None, None) if own.is_some() => {
            let message = "there is a type of the content, and no content";
            Err(Problem::new("bad_value", message).at("content_type"))
        }
        (None, None) => Ok(None),
    }
}

fn bad_template(invalid: &InvalidTemplate) -> Problem {
    match &invalid.unknown {
        Some(unknown) => {
            let message = format!("there is no value {}", Quoted(unknown));
            let names = portway_plugin::value::RequestValue::NAMES.join(", ");
            Problem::new("bad_template", message).hint(names)
        }
        None => Problem::new("bad_template", invalid.to_string())
            .hint("write {{ and }} for braces that stand for themselves"),
    }
}
