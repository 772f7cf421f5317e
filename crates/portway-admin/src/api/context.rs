//! What an operation gets to know of a request.

use std::sync::Arc;

use bytes::Bytes;
use http::{header, request::Parts};
use portway_config::{Kind, ResourceId, value::Name};

use super::{answer::Failure, query::Query, service::Inner, unique};
use crate::{
    access::{Verb, Who},
    ledger::{Condition, Ledger},
};

/// One request, after whoever asks was let in.
pub(crate) struct Context {
    pub(crate) api: Arc<Inner>,
    pub(crate) who: Who,
    /// The parts of the path that stand for something, by name.
    pub(crate) path: Vec<(&'static str, String)>,
    pub(crate) query: Query,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

impl Context {
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.api.ledger
    }

    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The kind in the path.
    pub(crate) fn kind(&self) -> Result<Kind, Failure> {
        let word = self.param("kind");
        Kind::called(word).ok_or_else(|| {
            let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
            let detail = format!("there is no kind {word:?}; there are {}", kinds.join(", "));
            Failure::not_found(detail)
        })
    }

    /// The namespace asked for.
    pub(crate) fn namespace(&self) -> Result<Option<Name>, Failure> {
        self.query.parsed("namespace")
    }

    /// The resource in the path.
    pub(crate) fn resource(&self) -> Result<ResourceId, Failure> {
        let kind = self.kind()?;
        let name = self
            .param("name")
            .parse::<Name>()
            .map_err(|invalid| Failure::bad_request("bad_parameter", invalid.message))?;
        let namespace = match kind.is_namespaced() {
            true => self.namespace()?.unwrap_or_default(),
            false => Name::default(),
        };
        Ok(ResourceId { kind, namespace, name })
    }

    /// Whether it may be done.
    pub(crate) fn allowed(&self, verb: Verb, id: &ResourceId) -> Result<(), Failure> {
        Ok(self.who.allows_with(verb, id)?)
    }

    /// Whether resources of a kind may be listed, in a namespace or in all. Of namespaces
    /// themselves, everybody lists those that they may look at.
    pub(crate) fn may_list(&self, kind: Kind, namespace: Option<&Name>) -> Result<(), Failure> {
        let (verb, word) = (Verb::List, kind.singular());
        let may = match kind.is_namespaced() {
            true => self.who.allows(verb, word, namespace.map(Name::as_str)),
            false => self.who.allows_somewhere(verb, word),
        };
        Ok(may?)
    }

    /// What is said about a change.
    pub(crate) fn message(&self) -> Option<String> {
        let header =
            self.head.headers.get("x-portway-message").and_then(|value| value.to_str().ok());
        self.query.get("message").or(header).map(str::to_owned)
    }

    /// What must be true of a resource.
    pub(crate) fn conditions(
        &self,
        id: &ResourceId,
    ) -> Result<Vec<(ResourceId, Condition)>, Failure> {
        let preconditions = self.preconditions()?.into_iter();
        Ok(preconditions.map(|condition| (id.clone(), condition)).collect())
    }

    /// What must be true of whatever the request is about (RFC 9110 section 13.1).
    pub(crate) fn preconditions(&self) -> Result<Vec<Condition>, Failure> {
        let mut conditions = Vec::new();
        let text = |name: header::HeaderName| {
            self.head
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap_or_default().trim().to_owned())
        };
        if let Some(tag) = text(header::IF_MATCH) {
            conditions.push(match tag.as_str() {
                "*" => Condition::Exists,
                tag => Condition::At(revision_of(tag)?),
            });
        }
        match text(header::IF_NONE_MATCH).as_deref() {
            None => {}
            Some("*") => conditions.push(Condition::Absent),
            Some(_) => {
                let detail = "If-None-Match takes nothing but * here";
                return Err(Failure::bad_request("bad_condition", detail));
            }
        }
        Ok(conditions)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(&self.body)
            .map_err(|_| Failure::bad_request("not_utf8", "the body is not UTF-8"))
    }

    /// The body as any JSON, with each key once.
    pub(crate) fn value(&self) -> Result<serde_json::Value, Failure> {
        let (value, problems) = unique::read(&self.body).map_err(|error| unreadable(&error))?;
        if problems.is_empty() { Ok(value) } else { Err(Failure::wrong(problems)) }
    }

    /// The body as a JSON object. A list of the values of its keys would be read as well otherwise.
    pub(crate) fn object<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'[') {
            let detail = "the body cannot be read: expected an object, found a list";
            return Err(Failure::bad_request("bad_value", detail));
        }
        serde_json::from_slice(&self.body).map_err(|error| unreadable(&error))
    }

    /// What the body is called in messages: its ending says the format.
    pub(crate) fn file(&self) -> Result<&'static str, Failure> {
        let kind = self.head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.map(|kind| kind.split(';').next().unwrap_or(kind).trim());
        match kind.map(str::to_ascii_lowercase).as_deref() {
            None | Some("application/json" | "application/merge-patch+json") => Ok("body.json"),
            Some("application/yaml" | "application/x-yaml" | "text/yaml") => Ok("body.yaml"),
            Some("application/toml") => Ok("body.toml"),
            Some(other) => {
                let detail = format!("the body is {other:?}; send JSON, YAML or TOML");
                let status = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
                Err(Failure::new(status, "unsupported_media_type", detail))
            }
        }
    }
}

fn unreadable(error: &serde_json::Error) -> Failure {
    let code = if error.is_data() { "bad_value" } else { "syntax" };
    Failure::bad_request(code, format!("the body cannot be read: {error}"))
}

/// The number in an entity tag.
fn revision_of(tag: &str) -> Result<u64, Failure> {
    let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    number.parse().map_err(|_| {
        let detail = format!("{tag} is no entity tag of this API: they are numbers in quotes");
        Failure::bad_request("bad_condition", detail)
    })
}
