//! What a token says of who asks, and what it has to say.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The values a claim may have, by its name. One that any value will do for has none.
pub type ClaimRules = BTreeMap<String, Vec<String>>;

/// The claim of this name. Where there is none, dots lead into objects: `realm_access.roles`.
#[must_use]
pub fn claim<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (outer, inner) = name.split_once('.')?;
    claim(claims.get(outer)?.as_object()?, inner)
}

/// The texts a claim holds: one, the elements of a list, or the words of a scope (RFC 8693
/// section 4.2).
#[must_use]
pub fn texts(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if matches!(name, "scope" | "scp") => {
            text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        Value::String(text) => vec![text.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Array(list) => list.iter().flat_map(|one| texts("", one)).collect(),
        Value::Object(_) | Value::Null => Vec::new(),
    }
}

/// Whether a claim has one of the values, or any where none are named.
#[must_use]
pub fn holds(claims: &Map<String, Value>, name: &str, values: &[String]) -> bool {
    let Some(value) = claim(claims, name).filter(|value| !value.is_null()) else { return false };
    values.is_empty() || texts(name, value).iter().any(|text| values.contains(text))
}
