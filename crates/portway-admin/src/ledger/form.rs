//! Resources as the store holds them: what was written, with secrets sealed.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use portway_config::{Catalog, Problem, ResourceId, value::MASKED};
use portway_store::{
    Entry,
    seal::{KeyRing, SealError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Stamp, keys};
use crate::access::Moment;

/// What a sealed text begins with.
const SEALED: &str = "sealed:";

/// A resource in the store.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) spec: Value,
    pub(super) revision: u64,
    pub(super) created: Moment,
    pub(super) updated: Moment,
}

impl Kept {
    pub(super) fn stamp(&self) -> Stamp {
        Stamp { revision: self.revision, created: self.created, updated: self.updated }
    }
}

/// Seals every secret of a spec. What only refers to a secret is none.
pub(super) fn seal(
    catalog: &Catalog,
    ring: &KeyRing,
    id: &ResourceId,
    spec: &Value,
) -> Result<Value, SealError> {
    let (mut sealed, mut failed) = (spec.clone(), None);
    catalog.visit_secrets(id.kind, &mut sealed, &mut |path, text| {
        if refers(text) {
            return;
        }
        match ring.seal(&name(id, path), text.as_bytes()) {
            Ok(bytes) => *text = format!("{SEALED}{}", STANDARD_NO_PAD.encode(bytes)),
            Err(error) => failed = Some(error),
        }
    });
    failed.map_or(Ok(sealed), Err)
}

/// Opens every secret of a spec. Names those that cannot be opened.
pub(super) fn open(
    catalog: &Catalog,
    ring: &KeyRing,
    id: &ResourceId,
    spec: &mut Value,
) -> Result<(), Vec<String>> {
    let mut lost = Vec::new();
    catalog.visit_secrets(id.kind, spec, &mut |path, text| {
        let Some(sealed) = text.strip_prefix(SEALED) else { return };
        let name = name(id, path);
        let opened = STANDARD_NO_PAD.decode(sealed).ok();
        let opened = opened.and_then(|sealed| ring.open(&name, &sealed).ok());
        match opened.and_then(|secret| String::from_utf8(secret.to_vec()).ok()) {
            Some(secret) => *text = secret,
            None => lost.push(name),
        }
    });
    if lost.is_empty() { Ok(()) } else { Err(lost) }
}

/// Seals every sealed secret of a spec with the key that seals now. Says how many were sealed with
/// another; what no key opens stays as it is.
pub(super) fn reseal(
    catalog: &Catalog,
    ring: &KeyRing,
    id: &ResourceId,
    spec: &mut Value,
) -> Result<usize, SealError> {
    let (mut count, mut failed) = (0, None);
    catalog.visit_secrets(id.kind, spec, &mut |path, text| {
        let sealed = text.strip_prefix(SEALED).and_then(|text| STANDARD_NO_PAD.decode(text).ok());
        let Some(sealed) = sealed else { return };
        match ring.reseal(&name(id, path), &sealed) {
            Ok(Some(bytes)) => {
                *text = format!("{SEALED}{}", STANDARD_NO_PAD.encode(bytes));
                count += 1;
            }
            Err(error @ SealError::NoRandomness) => failed = Some(error),
            Ok(None) | Err(_) => {}
        }
    });
    failed.map_or(Ok(count), Err)
}

/// The secrets of a spec that are still sealed.
pub(super) fn shut(catalog: &Catalog, id: &ResourceId, spec: &Value) -> Vec<String> {
    let (mut spec, mut shut) = (spec.clone(), Vec::new());
    catalog.visit_secrets(id.kind, &mut spec, &mut |path, text| {
        if text.starts_with(SEALED) {
            shut.push(name(id, path));
        }
    });
    shut
}

/// Which resource an entry of the store has.
pub(super) fn id(entry: &Entry) -> Result<ResourceId, Error> {
    let id = entry.key.below(&keys::resources()).and_then(|path| path.parse().ok());
    id.ok_or_else(|| Error::Unreadable(entry.key.to_string()))
}

/// What an entry of the store says of its resource.
pub(super) fn kept(entry: &Entry, id: &ResourceId) -> Result<Kept, Error> {
    serde_json::from_slice(&entry.value)
        .map_err(|error| Error::Unreadable(format!("{id}: {error}")))
}

/// A spec as it may be shown: references stay, secrets go.
pub(crate) fn masked(catalog: &Catalog, id: &ResourceId, spec: &Value) -> Value {
    let mut masked = spec.clone();
    catalog.visit_secrets(id.kind, &mut masked, &mut |_, text| {
        if !refers(text) {
            MASKED.clone_into(text);
        }
    });
    masked
}

/// Puts back what was masked when somebody read it: the secret of the same place.
pub(super) fn unmask(
    catalog: &Catalog,
    id: &ResourceId,
    spec: &mut Value,
    known: Option<&Value>,
) -> Result<(), Vec<Problem>> {
    let mut secrets = BTreeMap::new();
    if let Some(known) = known {
        let mut known = known.clone();
        catalog.visit_secrets(id.kind, &mut known, &mut |path, text| {
            secrets.insert(path.to_owned(), text.clone());
        });
    }
    let mut problems = Vec::new();
    catalog.visit_secrets(id.kind, spec, &mut |path, text| {
        if text != MASKED && !text.contains("\n(masked)\n") {
            return;
        }
        match secrets.get(path) {
            Some(secret) => text.clone_from(secret),
            None => problems.push(
                Problem::new("masked_value", "this is what stands for a secret, not the secret")
                    .at(path.to_owned())
                    .hint("write the secret itself, or ${secret:name}"),
            ),
        }
    });
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether a text is nothing but a reference.
fn refers(text: &str) -> bool {
    text.starts_with("${") && text.ends_with('}') && text.matches("${").count() == 1
}

/// What a secret is sealed to.
fn name(id: &ResourceId, path: &str) -> String {
    format!("{id}#{path}")
}
