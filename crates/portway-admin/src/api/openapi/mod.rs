//! The `OpenAPI` document (version 3.1), made of the list of operations and of the JSON Schema that
//! configurations are read by.
//!
//! It is complete: what a request may carry is in [`takes`], what comes back in [`gives`], and what
//! both are made of in [`schemas`] and [`shapes`]. An operation that is not told of in [`shapes`]
//! fails a test.

mod gives;
mod schemas;
mod shapes;
mod takes;

use portway_config::{Catalog, Kind};
use serde_json::{Map, Value, json};

use super::operation::{OPERATIONS, Operation};

/// The document.
#[must_use]
pub fn document(catalog: &Catalog, version: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        if operation.path.contains("{kind}") {
            for kind in Kind::ALL {
                let path = operation.path.replace("{kind}", kind.plural());
                add(&mut paths, &path, operation, Some(*kind));
            }
        } else {
            add(&mut paths, operation.path, operation, None);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portway admin API",
            "version": version,
            "description": "Resources of the gateway at run time. What was answered with 2xx is \
                            served by every core of this node.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "password": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of this API (`pwt_…`), or a JWT where the \
                                    configuration takes them.",
                },
                "password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A name and a password of the configuration.",
                },
            },
            "headers": gives::headers(),
            "parameters": takes::headers(),
            "responses": gives::refusals(),
            "schemas": schemas::all(catalog),
        },
    })
}

fn add(paths: &mut Map<String, Value>, path: &str, operation: &Operation, kind: Option<Kind>) {
    let entry = paths.entry(path).or_insert_with(|| json!({}));
    let method = operation.method.as_str().to_ascii_lowercase();
    entry[method] = described(path, operation, kind);
}

fn described(path: &str, operation: &Operation, kind: Option<Kind>) -> Value {
    let tag = kind.map_or_else(|| segment(path).to_owned(), |kind| kind.plural().to_owned());
    let mut described = json!({
        "operationId": id(operation, kind),
        "summary": operation.summary,
        "tags": [tag],
        "parameters": takes::parameters(path, operation, kind),
    });
    if let Some(body) = takes::body(operation, kind) {
        described["requestBody"] = body;
    }
    described["responses"] = gives::responses(operation, kind);
    described
}

/// `putResource` of a route is `putRoute`.
fn id(operation: &Operation, kind: Option<Kind>) -> String {
    let Some(kind) = kind else { return operation.id.to_owned() };
    let plural = operation.id.starts_with("list");
    let noun = if plural { kind.plural() } else { kind.singular() };
    let (first, rest) = noun.split_at(1);
    let noun = format!("{}{rest}", first.to_uppercase());
    operation.id.replace("Resources", &noun).replace("Resource", &noun)
}

/// `/api/v1/apply` → `apply`.
fn segment(path: &str) -> &str {
    path.split('/').nth(3).unwrap_or("about")
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(list) => list.iter().for_each(|one| references(one, found)),
            Value::Object(object) => {
                let to = object.get("$ref").and_then(Value::as_str);
                found.extend(to.map(str::to_owned));
                object.values().for_each(|one| references(one, found));
            }
            _ => {}
        }
    }

    fn operations(document: &Value) -> Vec<&Value> {
        let paths = document["paths"].as_object().unwrap().values();
        paths.flat_map(|path| path.as_object().unwrap().values()).collect()
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document(&Catalog::default(), "0");
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = document(&Catalog::default(), "0");
        let mut ids: Vec<_> =
            operations(&document).into_iter().map(|one| one["operationId"].to_string()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{ids:?}");
    }

    #[test]
    fn every_operation_tells_what_comes_back() {
        for operation in OPERATIONS {
            assert!(shapes::of(operation.id).is_some(), "{} is not told of", operation.id);
        }
        let document = document(&Catalog::default(), "0");
        for operation in operations(&document) {
            let responses = operation["responses"].as_object().unwrap();
            let good: Vec<_> = responses.keys().filter(|one| one.starts_with('2')).collect();
            assert!(!good.is_empty(), "{operation:#}");
            for status in ["400", "401", "403", "429", "500", "503"] {
                assert!(responses.contains_key(status), "{status}: {operation:#}");
            }
            let takes_a_body = !operation["requestBody"].is_null();
            for status in ["413", "408"] {
                assert_eq!(responses.contains_key(status), takes_a_body, "{status}");
            }
        }
    }

    #[test]
    fn conditions_of_a_write_are_told() {
        let document = document(&Catalog::default(), "0");
        let put = &document["paths"]["/api/v1/routes/{name}"]["put"];
        let text = put["parameters"].to_string();
        for name in ["IfMatch", "IfNoneMatch", "Message"] {
            assert!(text.contains(&format!("#/components/parameters/{name}")), "{text}");
        }
        assert!(put["responses"]["201"]["headers"]["ETag"].is_object(), "{put:#}");
        assert!(put["responses"]["507"].is_object() && put["responses"]["412"].is_object());
    }
}
