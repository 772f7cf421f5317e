//! The names that DGate has for what a resource is.
//!
//! | kind | DGate | here |
//! |---|---|---|
//! | all | `tags` | `labels`, each with the value `true` |
//! | service | `urls` | `url`, or `endpoints` |
//! | service | `connectTimeout`, `requestTimeout` | `timeouts.connect`, `timeouts.request` |
//! | service | `tlsSkipVerify`, `http2Only` | `tls.insecure_skip_verify`, `http2: always` |
//! | service | `disableQueryParams` | `drop_query` |
//! | route | `paths`, `methods` | `match` |
//! | route | `service` | `target.service` |
//! | route | `stripPath`, `preserveHost` | `rewrite`, `host: preserve` |
//! | secret | `data` | `value` |
//! | domain | `cert`, `key` | a certificate of the domain's name |
//! | collection | `schema`, `visibility` | the same |
//!
//! Version 2 writes them with underscores, which is understood as well.

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::{Value, json};

use super::{Given, Pair};
use crate::terminal::UsageError;

/// What is done with a key of DGate's.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// A flag, kept for [`Foreign::ours`].
    Flag,
    /// A list of texts, kept for [`Foreign::ours`].
    List,
    /// A text, kept for [`Foreign::ours`].
    Text,
    /// There is nothing like it here, and all goes on without.
    LeftOut(&'static str),
    /// There is nothing like it here, and a gateway without it would do something else.
    Refused(&'static str),
}

const NO_MODULES: &str = "this gateway runs no modules yet";

const KEYS: &[(&str, &str, Meaning)] = &[
    ("*", "tags", Meaning::List),
    ("service", "urls", Meaning::List),
    ("service", "connectTimeout", Meaning::Text),
    ("service", "requestTimeout", Meaning::Text),
    ("service", "tlsSkipVerify", Meaning::Flag),
    ("service", "http2Only", Meaning::Flag),
    ("service", "disableQueryParams", Meaning::Flag),
    (
        "service",
        "retries",
        Meaning::LeftOut("another endpoint is tried when one cannot be reached"),
    ),
    ("service", "retryTimeout", Meaning::LeftOut("another endpoint is tried at once")),
    ("service", "hideDGateHeaders", Meaning::LeftOut("there are no such headers")),
    ("route", "paths", Meaning::List),
    ("route", "methods", Meaning::List),
    ("route", "service", Meaning::Text),
    ("route", "stripPath", Meaning::Flag),
    ("route", "preserveHost", Meaning::Flag),
    ("route", "modules", Meaning::Refused(NO_MODULES)),
    ("collection", "type", Meaning::LeftOut("every collection holds documents")),
];

/// The names DGate has for a kind.
pub(super) fn keys(kind: &str) -> Vec<&'static str> {
    let of_kind = KEYS.iter().filter(|(of, ..)| *of == kind || *of == "*");
    of_kind.map(|(_, key, _)| *key).collect()
}

/// A key of ours, with the name DGate has for it.
pub(super) fn also(kind: &str, key: &str) -> String {
    match (kind, key) {
        ("route", "match") => "match (or paths, methods)".to_owned(),
        ("route", "target") => "target (or service)".to_owned(),
        ("secret", "value") => "value (or data)".to_owned(),
        _ => key.to_owned(),
    }
}

/// What was said with names of DGate's about one resource.
#[derive(Debug)]
pub(super) struct Foreign<'a> {
    kind: &'a str,
    lists: BTreeMap<&'static str, Vec<String>>,
    texts: BTreeMap<&'static str, String>,
    flags: BTreeMap<&'static str, bool>,
}

impl<'a> Foreign<'a> {
    pub(super) fn of(kind: &'a str) -> Self {
        let (lists, texts, flags) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { kind, lists, texts, flags }
    }

    /// Takes a pair whose name is DGate's; `false` when it is not.
    pub(super) fn take(&mut self, pair: &Pair, notes: &mut Vec<String>) -> anyhow::Result<bool> {
        let plain = |key: &str| key.replace('_', "").to_lowercase();
        let is_it = |(kind, key, _): &&(&str, &str, Meaning)| {
            (*kind == self.kind || *kind == "*") && plain(key) == plain(&pair.key)
        };
        // The secret of a secret is its `data`; the only key whose name means something else.
        if self.kind == "secret" && pair.key == "data" {
            self.texts.insert("data", pair.text()?);
            return Ok(true);
        }
        let Some((_, key, meaning)) = KEYS.iter().find(is_it) else { return Ok(false) };
        match meaning {
            Meaning::Flag => match pair.text()?.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => drop(self.flags.insert(key, true)),
                "false" | "f" | "0" => drop(self.flags.insert(key, false)),
                other => bail!(UsageError(format!("{key}: {other:?} is not true or false"))),
            },
            Meaning::List => drop(self.lists.insert(key, items(pair)?)),
            Meaning::Text => drop(self.texts.insert(key, pair.text()?)),
            Meaning::LeftOut(why) => notes.push(format!("{key} was left out: {why}")),
            Meaning::Refused(why) => {
                if !items(pair)?.is_empty() {
                    bail!(UsageError(format!("{key}: {why}")));
                }
            }
        }
        Ok(true)
    }

    /// The same in our words: paths, and what stands there.
    pub(super) fn ours(&self) -> anyhow::Result<Vec<(&'static str, Value)>> {
        let mut ours = Vec::new();
        if let Some(tags) = self.lists.get("tags") {
            let labels = tags.iter().map(|tag| (tag.clone(), Value::from("true")));
            ours.push(("labels", Value::Object(labels.collect())));
        }
        match self.kind {
            "service" => self.service(&mut ours),
            "route" => self.route(&mut ours)?,
            "secret" => {
                ours.extend(self.texts.get("data").map(|text| ("value", text.clone().into())));
            }
            _ => {}
        }
        Ok(ours)
    }

    fn service(&self, ours: &mut Vec<(&'static str, Value)>) {
        match self.lists.get("urls").map_or(&[][..], Vec::as_slice) {
            [] => {}
            [one] => ours.push(("url", one.as_str().into())),
            several => {
                let endpoints = several.iter().map(|url| json!({ "url": url }));
                ours.push(("endpoints", endpoints.collect()));
            }
        }
        for (theirs, path) in
            [("connectTimeout", "timeouts.connect"), ("requestTimeout", "timeouts.request")]
        {
            ours.extend(self.texts.get(theirs).map(|text| (path, text.clone().into())));
        }
        for (theirs, path) in
            [("tlsSkipVerify", "tls.insecure_skip_verify"), ("disableQueryParams", "drop_query")]
        {
            ours.extend(self.flags.get(theirs).map(|flag| (path, (*flag).into())));
        }
        if self.flags.get("http2Only") == Some(&true) {
            ours.push(("http2", "always".into()));
        }
    }

    fn route(&self, ours: &mut Vec<(&'static str, Value)>) -> anyhow::Result<()> {
        let paths = self.lists.get("paths").map_or(&[][..], Vec::as_slice);
        let methods = self.lists.get("methods").map_or(&[][..], Vec::as_slice);
        let methods: Vec<_> = methods.iter().filter(|method| *method != "*").collect();
        let with_methods = |mut one: Value| {
            if !methods.is_empty() {
                one["methods"] = json!(methods);
            }
            one
        };
        match paths {
            [] if methods.is_empty() => {}
            [] => ours.push(("match", with_methods(json!({})))),
            [one] => ours.push(("match", with_methods(json!({ "path": path(one)? })))),
            several => {
                let each =
                    several.iter().map(|one| Ok(with_methods(json!({ "path": path(one)? }))));
                ours.push(("match", each.collect::<anyhow::Result<Value>>()?));
            }
        }
        ours.extend(self.texts.get("service").map(|name| ("target.service", name.clone().into())));
        match self.flags.get("preserveHost") {
            Some(true) => ours.push(("host", "preserve".into())),
            Some(false) => ours.push(("host", "upstream".into())),
            None => {}
        }
        if self.flags.get("stripPath") == Some(&true) {
            ours.push(("rewrite", rewrite(paths)?));
        }
        Ok(())
    }
}

/// The name of what a `*` at the end of a path stands for.
const REST: &str = "rest";

/// A path pattern: a `*` at the end becomes `{*rest}`.
fn path(theirs: &str) -> anyhow::Result<Value> {
    let Some(before) = theirs.strip_suffix('*') else { return Ok(theirs.into()) };
    if before.ends_with('/') && !before.contains('*') {
        return Ok(format!("{before}{{*{REST}}}").into());
    }
    let message = format!("paths: {theirs:?}: a `*` stands alone at the end, as in /shop/*");
    Err(UsageError(message).into())
}

/// What stripping the path means: up to the `*` it is taken off; without one, all of it is.
fn rewrite(paths: &[String]) -> anyhow::Result<Value> {
    let prefixes: Vec<_> = paths.iter().filter_map(|path| path.strip_suffix("/*")).collect();
    if prefixes.is_empty() {
        return Ok(json!({ "path": "/" }));
    }
    if prefixes.len() < paths.len() {
        let message = "stripPath: some paths end with a `*` and some do not: make two routes";
        return Err(UsageError(message.to_owned()).into());
    }
    match prefixes.as_slice() {
        // Nothing is there to be taken off.
        [""] => Ok(Value::Null),
        [one] if !one.contains('{') => Ok(json!({ "strip_prefix": one })),
        _ => Ok(json!({ "path": format!("/{{{REST}}}") })),
    }
}

/// A list, however it was given.
fn items(pair: &Pair) -> anyhow::Result<Vec<String>> {
    if let Given::Json(_) = &pair.value {
        let texts = match pair.value()? {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            one => vec![one],
        };
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        return Ok(texts.iter().map(text).collect());
    }
    let text = pair.text()?;
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Ok(items.map(str::to_owned).collect())
}
