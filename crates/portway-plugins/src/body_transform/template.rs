//! Templates of bodies.

use std::{fmt::Write, str::FromStr};

use portway_plugin::{
    Escape,
    value::{Quoted, TextPart, TextTemplate},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::asked::Asked;

/// A text with the parts of a JSON body and of a request in it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct BodyTemplate(Box<[Part]>);

#[derive(Clone, Debug)]
enum Part {
    Literal(Box<str>),
    /// A part of the body, by JSON Pointer.
    Body(Box<str>),
    /// What the request says.
    Asked(TextTemplate),
}

/// Whether content of this type is JSON (RFC 6839 for what ends with `+json`).
pub(super) fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim_ascii();
    let kind = kind.to_ascii_lowercase();
    matches!(kind.as_str(), "application/json" | "text/json") || kind.ends_with("+json")
}

impl BodyTemplate {
    /// What the request says for each of its parts, in their order.
    pub(super) fn asked(&self, asked: &Asked<'_>) -> Vec<String> {
        let templates = self.0.iter().filter_map(|part| match part {
            Part::Asked(template) => Some(template),
            Part::Literal(_) | Part::Body(_) => None,
        });
        let text = |part: &TextPart| String::from_utf8_lossy(&asked.value(part)).into_owned();
        templates.map(|template| template.parts().iter().map(text).collect()).collect()
    }

    /// Whether it takes anything of the old body.
    pub(super) fn wants_body(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Body(_)))
    }

    /// The text.
    pub(super) fn render(&self, escape: Escape, body: &Value, asked: Vec<String>) -> String {
        let mut out = String::with_capacity(256);
        let mut asked = asked.into_iter();
        let mut within = Quotes::default();
        for part in &self.0 {
            match part {
                Part::Literal(text) => {
                    within.pass(text);
                    out.push_str(text);
                }
                Part::Body(pointer) => {
                    let value = body.pointer(pointer).unwrap_or(&Value::Null);
                    put(value, escape, within.open, &mut out);
                }
                Part::Asked(_) => {
                    let value = Value::String(asked.next().unwrap_or_default());
                    put(&value, escape, within.open, &mut out);
                }
            }
        }
        out
    }

    /// Whether what it makes is JSON, whatever the values are.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) fn check_json(&self) -> Result<(), serde_json::Error> {
        let asked = self.0.iter().filter(|part| matches!(part, Part::Asked(_)));
        let asked = asked.map(|_| "x".to_owned()).collect();
        let text = self.render(Escape::Json, &Value::Null, asked);
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map(drop)
    }
}

/// Whether the text of a JSON document is within quotes.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

impl Quotes {
    fn pass(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.open => self.escaped = true,
                b'"' => self.open = !self.open,
                _ => {}
            }
        }
    }
}

/// Appends a value so that it cannot leave its place.
fn put(value: &Value, escape: Escape, quoted: bool, out: &mut String) {
    if escape == Escape::Json && !quoted {
        // Writing to a string does not fail.
        let _ = write!(out, "{value}");
        return;
    }
    let text = match value {
        Value::Null => return,
        Value::String(text) => std::borrow::Cow::Borrowed(text.as_str()),
        other => std::borrow::Cow::Owned(other.to_string()),
    };
    escape.push(&text, out);
}

impl TryFrom<String> for BodyTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for BodyTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        // Text that is no part of the body is read as any other template.
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            let length = if from.starts_with("{{") || from.starts_with("}}") {
                2
            } else {
                from.find('}').map_or(from.len(), |end| end + 1)
            };
            let (piece, behind) = from.split_at(length);
            let name = piece.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            match name.and_then(|name| name.strip_prefix("body")) {
                Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => {
                    push_plain(&std::mem::take(&mut plain), &mut parts)?;
                    check_pointer(pointer)?;
                    parts.push(Part::Body(pointer.into()));
                }
                _ => plain.push_str(piece),
            }
            rest = behind;
        }
        plain.push_str(rest);
        push_plain(&plain, &mut parts)?;
        Ok(Self(parts.into()))
    }
}

/// Cuts text without parts of the body.
fn push_plain(text: &str, parts: &mut Vec<Part>) -> Result<(), String> {
    let template: TextTemplate = text.parse().map_err(|error| {
        format!("{} is not a template: {error} (write {{{{ and }}}} for braces)", Quoted(text))
    })?;
    let mut rest = text;
    for part in template.parts() {
        if let TextPart::Literal(text) = part {
            parts.push(Part::Literal(text.clone()));
            // Pieces of literal text have no names in them.
            rest = skip_literal(rest);
            continue;
        }
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        let (name, behind) = rest.split_at(end);
        let one = name.parse().map_err(|error| format!("{} {error}", Quoted(name)))?;
        parts.push(Part::Asked(one));
        rest = behind;
    }
    Ok(())
}

/// What follows the literal text at the front.
fn skip_literal(mut text: &str) -> &str {
    while let Some(at) = text.find(['{', '}']) {
        let from = &text[at..];
        match from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            Some(behind) => text = behind,
            None => return from,
        }
    }
    ""
}

/// RFC 6901 section 3.
fn check_pointer(pointer: &str) -> Result<(), String> {
    let mut tildes = pointer.match_indices('~');
    match tildes.all(|(at, _)| matches!(pointer.as_bytes().get(at + 1), Some(b'0' | b'1'))) {
        true => Ok(()),
        false => Err(format!("{} is not a JSON pointer: write ~0 for ~", Quoted(pointer))),
    }
}
