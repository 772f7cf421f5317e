//! What a request may carry: parameters, header fields, a body.

use portway_config::Kind;
use serde_json::{Map, Value, json};

use super::{
    super::operation::{Operation, Parameter, Takes},
    reference,
};

/// The parameters of an operation, wherever they stand.
pub(super) fn parameters(path: &str, operation: &Operation, kind: Option<Kind>) -> Value {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = names.map(|name| {
        let schema = match (name, kind) {
            // No control character, and not two segments.
            ("id", _) => json!({ "type": "string", "pattern": "^[^/\\x00-\\x1f]+$" }),
            ("number", _) => json!({ "type": "integer", "minimum": 0 }),
            (_, Some(_)) => reference("Name"),
            _ => json!({ "type": "string" }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let is_namespaced = kind.is_none_or(Kind::is_namespaced);
    let in_query = operation.query.iter().filter(|one| is_namespaced || one.name != "namespace");
    let in_query = in_query.map(|one| {
        json!({
            "name": one.name,
            "in": "query",
            "description": one.about,
            "required": is_required(operation, one),
            "schema": schema(operation, one),
        })
    });
    let in_header = fields(operation).iter();
    let in_header =
        in_header.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }));
    in_path.chain(in_query).chain(in_header).collect()
}

fn is_required(operation: &Operation, parameter: &Parameter) -> bool {
    parameter.name == "collection" || (operation.id == "diff" && parameter.name == "from")
}

fn schema(operation: &Operation, parameter: &Parameter) -> Value {
    match (parameter.name, parameter.kind) {
        ("limit", _) => json!({ "type": "integer", "minimum": 1, "maximum": 1000 }),
        ("cursor", _) if matches!(operation.id, "listRevisions" | "listAudit") => {
            json!({ "type": "string", "pattern": "^[0-9]{1,19}$" })
        }
        ("namespace" | "collection", _) => reference("Name"),
        // The name alone is a word for yes.
        (_, "boolean") => {
            json!({ "anyOf": [{ "type": "boolean" }, { "enum": ["", "0", "1"] }] })
        }
        ("label", _) => json!({
            "type": "array",
            "items": { "type": "string", "pattern": "=" },
        }),
        ("prune", _) => json!({ "type": "string", "pattern": "^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$" }),
        (_, "integer") => json!({ "type": "integer", "minimum": 0 }),
        (_, kind) => json!({ "type": kind }),
    }
}

/// The header fields that mean something to an operation.
fn fields(operation: &Operation) -> &'static [&'static str] {
    match operation.id {
        "putResource" | "patchResource" | "deleteResource" => {
            &["IfMatch", "IfNoneMatch", "Message"]
        }
        "putDocument" => &["IfMatch", "IfNoneMatch"],
        "patchDocument" | "deleteDocument" => &["IfMatch"],
        "apply" | "rollback" => &["Message"],
        "watch" => &["LastEventId"],
        _ => &[],
    }
}

/// All such fields.
pub(super) fn headers() -> Value {
    let field = |name: &str, about: &str, schema: Value| json!({ "name": name, "in": "header", "description": about, "schema": schema });
    json!({
        "IfMatch": field(
            "If-Match",
            "Only if it is there (`*`), or as it was when it had this entity tag; else 412.",
            json!({ "type": "string", "pattern": "^([*]|[0-9]{1,18}|\"[0-9]{1,18}\")$" }),
        ),
        "IfNoneMatch": field(
            "If-None-Match",
            "Only if it is not there yet; else 412.",
            json!({ "type": "string", "const": "*" }),
        ),
        "Message": field(
            "X-Portway-Message",
            "What the history says about it, as the parameter `message` does.",
            json!({ "type": "string" }),
        ),
        "LastEventId": field(
            "Last-Event-ID",
            "The last revision that was seen: those after it are told first.",
            json!({ "type": "string", "pattern": "^[0-9]{1,18}$" }),
        ),
    })
}

/// The body of a request.
pub(super) fn body(operation: &Operation, kind: Option<Kind>) -> Option<Value> {
    let content = |media: &[&str], schema: Value| {
        let content: Map<_, _> =
            media.iter().map(|one| ((*one).to_owned(), json!({ "schema": schema }))).collect();
        Some(json!({ "required": true, "content": content }))
    };
    let document = ["application/json", "application/yaml", "application/toml"];
    match operation.body {
        Takes::Nothing => None,
        Takes::Spec => {
            let name = kind.map(|kind| format!("{}Spec", kind.definition()))?;
            content(&document, reference(&name))
        }
        Takes::Patch => content(
            &["application/merge-patch+json", "application/json"],
            json!({ "type": "object" }),
        ),
        Takes::Document => content(&document, reference("Document")),
        Takes::Backup => content(&["application/octet-stream"], json!({})),
        Takes::Json(name) => content(&["application/json"], reference(name)),
    }
}
