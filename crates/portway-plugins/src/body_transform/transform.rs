//! What is done to one body.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use json_patch::{Patch, PatchOperation};
use portway_plugin::{Escape, Problem, Result};
use serde_json::Value;

use super::{BodyTemplate, TransformSpec, error::Flaw, template::is_json};
use crate::{asked::Asked, entity::body_changes};

/// The transformation of the bodies of one side.
#[derive(Debug)]
pub(super) struct Transform {
    patch: Patch,
    template: Option<(BodyTemplate, Escape)>,
    content_type: Option<HeaderValue>,
    pub(super) required: bool,
}

impl Transform {
    /// Decides everything that does not depend on a body. `key` is where the spec stands.
    ///
    /// # Errors
    /// A step that is none, a template that makes no JSON, or nothing to do.
    pub(super) fn new(spec: TransformSpec, key: &str) -> Result<Self, Problem> {
        if spec.patch.is_empty() && spec.template.is_none() {
            let problem = Problem::new("missing", "nothing is transformed").at(key);
            return Err(problem.hint("give a patch, a template or both"));
        }
        let mut patch = Vec::with_capacity(spec.patch.len());
        for (at, step) in spec.patch.iter().enumerate() {
            let step = serde_json::to_value(step).and_then(serde_json::from_value);
            let step: PatchOperation = step.map_err(|error| {
                let message = format!("it is not a step of a JSON Patch: {error}");
                Problem::new("bad_value", message).at(format!("{key}.patch[{at}]"))
            })?;
            patch.push(step);
        }
        let json = || HeaderValue::from_static("application/json");
        let given = spec.content_type.map(|kind| kind.get().clone());
        let content_type = given.or_else(|| spec.template.is_some().then(json));
        let kind = content_type.as_ref().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if let Some(template) = spec.template.as_ref().filter(|_| is_json(kind)) {
            template.check_json().map_err(|error| {
                let message = format!("the template does not make JSON: {error}");
                Problem::new("bad_template", message)
                    .at(format!("{key}.template"))
                    .hint("give another content_type, or mend it")
            })?;
        }
        let template = spec.template.map(|template| (template, Escape::of(kind)));
        Ok(Self { patch: Patch(patch), template, content_type, required: spec.required })
    }

    /// What the request says for the template.
    pub(super) fn asked(&self, asked: &Asked<'_>) -> Vec<String> {
        self.template.as_ref().map_or_else(Vec::new, |(template, _)| template.asked(asked))
    }

    /// Whether bodies of this kind are transformed.
    pub(super) fn takes(&self, headers: &HeaderMap) -> bool {
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return false;
        }
        if !self.wants_json() {
            return true;
        }
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(is_json)
    }

    fn wants_json(&self) -> bool {
        !self.patch.is_empty()
            || self.template.as_ref().is_none_or(|(template, _)| template.wants_body())
    }

    /// Another body in the place of this one.
    pub(super) fn apply(&self, body: &[u8], asked: Vec<String>) -> Result<Bytes, Flaw> {
        let mut value = match self.wants_json() {
            true => serde_json::from_slice(body).map_err(Flaw::Json)?,
            false => Value::Null,
        };
        if !self.patch.is_empty() {
            json_patch::patch(&mut value, &self.patch).map_err(Flaw::Patch)?;
        }
        match &self.template {
            Some((template, kind)) => Ok(template.render(*kind, &value, asked).into()),
            None => serde_json::to_vec(&value).map(Bytes::from).map_err(Flaw::Json),
        }
    }

    /// What the header fields say of the new body.
    pub(super) fn describe(&self, headers: &mut HeaderMap, body: &Bytes) {
        body_changes(headers);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        if let Some(kind) = &self.content_type {
            headers.insert(header::CONTENT_TYPE, kind.clone());
        }
    }
}
