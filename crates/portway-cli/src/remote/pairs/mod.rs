//! `key=value` on the command line: what a resource is, without a file.
//!
//! The form is read here ([`Pair`]), the names that DGate has become ours ([`dgate`]), and each
//! text becomes what the schema of its key wants ([`schema`]). What is unknown is refused with the
//! nearest name; what a resource needs and does not have is named all at once.

mod dgate;
mod schema;

use std::{fs, io::Read, path::Path};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use self::schema::Shape;
use super::{files::is_stdin, kinds::Kind};
use crate::terminal::UsageError;

/// One `key=value` as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: Given,
}

/// How a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// `key=text`
    Text(String),
    /// `key:=json`
    Json(String),
    /// `key@=file`
    File(String),
}

impl Pair {
    /// Reads one argument; `None` when it is a word alone.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (key, value) = text.split_once('=')?;
        let value = value.to_owned();
        let (key, value) = if let Some(key) = key.strip_suffix(':') {
            (key, Given::Json(value))
        } else if let Some(key) = key.strip_suffix('@') {
            (key, Given::File(value))
        } else {
            (key, Given::Text(value))
        };
        Some(Self { key: key.to_owned(), value })
    }

    /// The plain text of it.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        match &self.value {
            Given::Text(text) => Ok(text.clone()),
            Given::Json(json) => match json_of(&self.key, json)? {
                Value::String(text) => Ok(text),
                other => Ok(other.to_string()),
            },
            Given::File(file) => {
                let bytes = bytes_of(file)?;
                let text = String::from_utf8(bytes).ok();
                text.with_context(|| format!("{}: {file} is not text in UTF-8", self.key))
            }
        }
    }

    /// Its value when nothing is known about the key.
    pub(super) fn value(&self) -> anyhow::Result<Value> {
        match &self.value {
            Given::Json(json) => json_of(&self.key, json),
            Given::Text(_) | Given::File(_) => Ok(self.text()?.into()),
        }
    }

    /// Its value for a key of this shape.
    fn value_for(&self, shape: &Shape<'_>) -> anyhow::Result<Value> {
        match &self.value {
            Given::Json(json) => json_of(&self.key, json),
            Given::Text(text) => {
                shape.value(text).map_err(|what| usage(format!("{}: {what}", self.key)))
            }
            Given::File(file) if shape.wants_base64() => {
                Ok(BASE64_STANDARD.encode(bytes_of(file)?).into())
            }
            Given::File(file) if shape.is_anything() => {
                let text = self.text()?;
                let tree = portway::config::Tree::parse(&text, file).ok();
                let value = tree.map(|tree| tree.to_json());
                Ok(value.filter(|value| !value.is_null()).unwrap_or_else(|| text.into()))
            }
            Given::File(file) => {
                let text = self.text()?;
                match shape.value(&text) {
                    Ok(value) => Ok(value),
                    // A schema, a list of endpoints: in a file they are JSON or YAML.
                    Err(_) => match portway::config::Tree::parse(&text, file) {
                        Ok(tree) => Ok(tree.to_json()),
                        Err(_) => bail!(UsageError(format!("{}: {file} is no YAML", self.key))),
                    },
                }
            }
        }
    }
}

/// Arguments that are words and arguments that are pairs.
pub(super) fn sorted(arguments: &[String]) -> (Vec<String>, Vec<Pair>) {
    let (mut words, mut pairs) = (Vec::new(), Vec::new());
    for argument in arguments {
        match Pair::read(argument) {
            Some(pair) => pairs.push(pair),
            None => words.push(argument.clone()),
        }
    }
    (words, pairs)
}

/// Takes the text of `key` out of the pairs.
pub(super) fn take(pairs: &mut Vec<Pair>, key: &str) -> anyhow::Result<Option<String>> {
    let Some(at) = pairs.iter().position(|pair| pair.key == key) else { return Ok(None) };
    pairs.remove(at).text().map(Some)
}

/// What the pairs say about a resource of a kind, and what is to be told about them.
pub(super) fn spec(kind: &Kind, pairs: &[Pair]) -> anyhow::Result<(Value, Vec<String>)> {
    let root = Shape::of(&kind.schema);
    let (mut spec, mut notes, mut unknown) = (Value::Object(Map::new()), Vec::new(), Vec::new());
    let mut theirs = dgate::Foreign::of(&kind.kind);
    for pair in pairs {
        let head = pair.key.split('.').next().unwrap_or_default();
        if root.key(head).is_some() {
            match root.path(&pair.key) {
                Some(shape) => set(&mut spec, &pair.key, pair.value_for(&shape)?)?,
                None => unknown.push(unknown_key(kind, &pair.key, &root)),
            }
        } else if !theirs.take(pair, &mut notes)? {
            unknown.push(unknown_key(kind, &pair.key, &root));
        }
    }
    if !unknown.is_empty() {
        bail!(UsageError(unknown.join("\n")));
    }
    for (path, value) in theirs.ours()? {
        set(&mut spec, path, value)?;
    }
    Ok((spec, notes))
}

/// Refuses a resource that lacks what its schema requires, or one of what it needs.
pub(super) fn complete(kind: &Kind, spec: &Value) -> anyhow::Result<()> {
    let required = Shape::of(&kind.schema).required();
    let lacks = |key: &str| spec.get(key).is_none_or(Value::is_null);
    let named = |key: &&str| !matches!(*key, "name" | "namespace");
    let missing = required.into_iter().filter(named).filter(|key| lacks(key));
    let mut missing = missing.map(|key| dgate::also(&kind.kind, key)).collect::<Vec<_>>();
    if kind.kind == "service" && lacks("url") && lacks("endpoints") {
        missing.push("url (or urls, endpoints)".to_owned());
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(usage(format!("a {} needs more: {} missing", kind.kind, list(&missing))))
}

fn list(names: &[String]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(", "))
}

fn unknown_key(kind: &Kind, key: &str, root: &Shape<'_>) -> String {
    let (before, last) = key.rsplit_once('.').unwrap_or(("", key));
    let around = if before.is_empty() { Some(root.clone()) } else { root.path(before) };
    let ours = around.as_ref().map(Shape::keys).unwrap_or_default();
    let theirs = if before.is_empty() { dgate::keys(&kind.kind) } else { Vec::new() };
    let lower = last.to_lowercase();
    let all = ours.iter().copied().chain(theirs);
    let hint = match super::kinds::nearest(&lower, all) {
        Some(near) if before.is_empty() => format!("did you mean {near}?"),
        Some(near) => format!("did you mean {before}.{near}?"),
        None if ours.is_empty() => "it is no map".to_owned(),
        None => format!("there are {}", ours.join(", ")),
    };
    format!("a {} has no key {key:?}; {hint}", kind.kind)
}

/// Puts a value where a path says.
fn set(spec: &mut Value, path: &str, value: Value) -> anyhow::Result<()> {
    let mut here = spec;
    for key in path.split('.') {
        if here.is_null() {
            *here = Value::Object(Map::new());
        }
        let Value::Object(map) = here else {
            bail!(UsageError(format!("{path}: what it stands in was given another value")));
        };
        here = map.entry(key).or_insert(Value::Null);
    }
    *here = value;
    Ok(())
}

fn json_of(key: &str, json: &str) -> anyhow::Result<Value> {
    serde_json::from_str(json).map_err(|error| usage(format!("{key}: this is no JSON: {error}")))
}

fn bytes_of(file: &str) -> anyhow::Result<Vec<u8>> {
    if is_stdin(Path::new(file)) {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    fs::read(file).with_context(|| format!("cannot read {file}"))
}

fn usage(message: String) -> anyhow::Error {
    UsageError(message).into()
}

#[cfg(test)]
mod tests;
