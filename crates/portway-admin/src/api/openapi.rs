//! The `OpenAPI` document (version 3.1), made of the list of operations and of the JSON Schema that
//! configurations are read by.

use portway_config::{Catalog, Kind};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    explain::Explain,
    operation::{OPERATIONS, Operation, Takes},
    revisions::Rollback,
};
use crate::access::{NewToken, TokenRequest, TokenView};

/// Statuses that every operation may answer, besides its own.
const ALWAYS: &[(u16, &str)] = &[
    (400, "The request makes no sense."),
    (401, "Credentials are needed, or they are not good."),
    (403, "This may not be done with these credentials, from there, or for that page."),
    (413, "The body is too large."),
    (429, "Too many logins have failed: see `Retry-After`."),
    (503, "The gateway is starting or ending, or the store does not answer."),
];

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
                "token": { "type": "http", "scheme": "bearer" },
                "password": { "type": "http", "scheme": "basic" },
            },
            "schemas": schemas(catalog),
        },
    })
}

fn add(paths: &mut Map<String, Value>, path: &str, operation: &Operation, kind: Option<Kind>) {
    let entry = paths.entry(path).or_insert_with(|| json!({}));
    let method = operation.method.as_str().to_ascii_lowercase();
    entry[method] = described(path, operation, kind);
}

fn described(path: &str, operation: &Operation, kind: Option<Kind>) -> Value {
    let id = match kind {
        None => operation.id.to_owned(),
        Some(kind) => {
            let plural = operation.id.starts_with("list");
            let noun = if plural { kind.plural() } else { kind.singular() };
            let (first, rest) = noun.split_at(1);
            let noun = format!("{}{rest}", first.to_uppercase());
            operation.id.replace("Resources", &noun).replace("Resource", &noun)
        }
    };
    let tag = kind.map_or_else(|| segment(path).to_owned(), |kind| kind.plural().to_owned());
    let is_namespaced = kind.is_none_or(Kind::is_namespaced);
    let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let in_query = operation.query.iter().filter(|one| is_namespaced || one.name != "namespace");
    let in_query = in_query.map(|one| {
        json!({
            "name": one.name,
            "in": "query",
            "description": one.about,
            "required": one.name == "collection",
            "schema": { "type": one.kind },
        })
    });
    let mut described = json!({
        "operationId": id,
        "summary": operation.summary,
        "tags": [tag],
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": responses(operation, kind),
    });
    if let Some(body) = body(operation, kind) {
        described["requestBody"] = body;
    }
    described
}

/// `/api/v1/apply` → `apply`.
fn segment(path: &str) -> &str {
    path.split('/').nth(3).unwrap_or("about")
}

fn body(operation: &Operation, kind: Option<Kind>) -> Option<Value> {
    let content = |media: &[&str], schema: Value| {
        let content: Map<_, _> =
            media.iter().map(|one| ((*one).to_owned(), json!({ "schema": schema }))).collect();
        Some(json!({ "required": true, "content": content }))
    };
    match operation.body {
        Takes::Nothing => None,
        Takes::Spec => {
            let name = kind.map(|kind| format!("{}Spec", kind.definition()))?;
            content(&["application/json", "application/yaml"], reference(&name))
        }
        Takes::Patch => content(
            &["application/merge-patch+json", "application/json"],
            json!({ "type": "object" }),
        ),
        Takes::Document => {
            let media = ["application/json", "application/yaml", "application/toml"];
            content(&media, reference("Document"))
        }
        Takes::Backup => content(&["application/octet-stream"], json!({})),
        Takes::Json(name) => content(&["application/json"], reference(name)),
    }
}

fn responses(operation: &Operation, kind: Option<Kind>) -> Value {
    let mut responses = Map::new();
    let data = match (operation.id, kind) {
        ("listResources", _) => json!({ "type": "array", "items": reference("Resource") }),
        (_, Some(_)) => reference("Resource"),
        ("listTokens", _) => json!({ "type": "array", "items": reference("TokenView") }),
        ("createToken", _) => reference("NewToken"),
        ("revokeToken", _) => reference("TokenView"),
        _ => json!({}),
    };
    let envelope = json!({
        "type": "object",
        "required": ["data", "meta"],
        "properties": { "data": data, "meta": { "type": "object" } },
    });
    let good = match operation.id {
        "watch" => json!({
            "description": "Events",
            "content": { "text/event-stream": { "schema": { "type": "string" } } },
        }),
        "backup" => json!({
            "description": "A backup",
            "content": { "application/octet-stream": { "schema": {} } },
        }),
        "export" => json!({
            "description": "A document",
            "content": {
                "application/yaml": { "schema": {} },
                "application/json": { "schema": {} },
            },
        }),
        _ => json!({
            "description": "Done",
            "content": { "application/json": { "schema": envelope } },
        }),
    };
    let creates_only = operation.id == "createToken";
    if !creates_only {
        responses.insert("200".to_owned(), good.clone());
    }
    let problem = |about: &str| {
        json!({
            "description": about,
            "content": { "application/problem+json": { "schema": reference("ProblemDetails") } },
        })
    };
    for status in operation.statuses {
        let value = match status {
            201 => good.clone(),
            404 => problem("There is nothing there."),
            409 => problem("Something else is in the way: its owner, what needs it, a name."),
            412 => problem("It is not as the condition of the request says."),
            422 => problem("The configuration would be wrong: `problems` says where and why."),
            _ => problem("It was not done."),
        };
        responses.insert(status.to_string(), value);
    }
    for (status, about) in ALWAYS {
        responses.insert(status.to_string(), problem(about));
    }
    if operation.body != Takes::Nothing {
        responses.insert("415".to_owned(), problem("The body is of another type."));
        responses.insert("507".to_owned(), problem("The disk is full. Nothing was changed."));
    }
    if operation.method == http::Method::DELETE {
        responses.insert("507".to_owned(), problem("The disk is full. Nothing was changed."));
    }
    Value::Object(responses)
}

fn schemas(catalog: &Catalog) -> Value {
    let schema = catalog.schema();
    let defs = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut schemas = defs;
    let mut lists = Map::new();
    for kind in Kind::ALL {
        let Some(definition) = schemas.get(kind.definition()).cloned() else { continue };
        let mut spec = definition;
        if let Some(Value::Array(required)) = spec.get_mut("required") {
            required.retain(|key| key != "name");
        }
        schemas.insert(format!("{}Spec", kind.definition()), spec);
        let items = reference(kind.definition());
        lists.insert(kind.plural().to_owned(), json!({ "type": "array", "items": items }));
    }
    let document = json!({
        "type": "object",
        "properties": lists,
        "additionalProperties": false,
    });
    schemas.insert("Document".to_owned(), document);
    schemas.insert("Resource".to_owned(), resource());
    schemas.insert("Anything".to_owned(), json!({ "description": "Any JSON" }));
    schemas.insert("ProblemDetails".to_owned(), problem_details());
    let own = [
        part::<Explain>(),
        part::<Rollback>(),
        part::<TokenRequest>(),
        part::<TokenView>(),
        part::<NewToken>(),
    ];
    for (name, schema, more) in own {
        schemas.insert(name, schema);
        schemas.extend(more);
    }
    let mut schemas = Value::Object(schemas);
    relocate(&mut schemas);
    schemas
}

/// A type's schema, with those it refers to.
fn part<T: JsonSchema>() -> (String, Value, Map<String, Value>) {
    let mut schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    let defs = schema.as_object_mut().and_then(|schema| {
        schema.remove("$schema");
        schema.remove("$defs")
    });
    let defs = match defs {
        Some(Value::Object(defs)) => defs,
        _ => Map::new(),
    };
    (T::schema_name().into_owned(), schema, defs)
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Definitions stand elsewhere in such a document.
fn relocate(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(relocate),
        Value::Object(object) => {
            if let Some(Value::String(to)) = object.get_mut("$ref")
                && let Some(name) = to.strip_prefix("#/$defs/")
            {
                *to = format!("#/components/schemas/{name}");
            }
            object.values_mut().for_each(relocate);
        }
        _ => {}
    }
}

fn resource() -> Value {
    json!({
        "type": "object",
        "required": ["kind", "name", "owner", "revision", "spec"],
        "properties": {
            "kind": { "type": "string" },
            "namespace": { "type": "string" },
            "name": { "type": "string" },
            "owner": { "type": "string", "description": "`store`, `file:/etc/…` or `code`" },
            "revision": { "type": "integer", "description": "The number of its last change" },
            "etag": { "type": "string" },
            "created_at": { "type": "string" },
            "updated_at": { "type": "string" },
            "spec": { "type": "object", "description": "As in a file, secrets masked" },
        },
    })
}

fn problem_details() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string", "description": "A stable word for programs" },
            "problems": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "code": { "type": "string" },
                        "path": { "type": "string" },
                        "message": { "type": "string" },
                        "hint": { "type": ["string", "null"] },
                        "place": { "type": ["object", "null"] },
                    },
                },
            },
        },
    })
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
        let mut ids = Vec::new();
        for operations in document["paths"].as_object().unwrap().values() {
            for operation in operations.as_object().unwrap().values() {
                ids.push(operation["operationId"].as_str().unwrap().to_owned());
            }
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{ids:?}");
    }
}
