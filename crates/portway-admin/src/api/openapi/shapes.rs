//! What answers look like, operation by operation.
//!
//! Answers are written with `json!` where they are made; this is the promise they are held to, by
//! tests that read both. Objects are open: a client must bear with a field it does not know.

use portway_config::Kind;
use serde_json::{Map, Value, json};

use super::reference;

/// What a good answer is.
pub(super) enum Shape {
    /// The envelope with this in it.
    Envelope { data: Value, meta: Value },
    /// A body of one of these media types.
    Other(&'static [&'static str]),
}

/// The good answer of an operation.
pub(super) fn of(id: &str) -> Option<Shape> {
    let none = || object(&[]);
    let paged = |more: &[(&str, Value)]| {
        let mut fields = vec![("cursor", nullable("string"))];
        fields.extend_from_slice(more);
        object(&fields)
    };
    let (data, meta) = match id {
        "status" => (reference("Status"), none()),
        "traffic" => (reference("Traffic"), none()),
        "listKinds" => (list(reference("KindInfo")), none()),
        "listPluginTypes" => (list(reference("PluginType")), none()),
        "listExtensions" => (list(reference("ExtensionInfo")), none()),
        "getPluginType" => (reference("PluginType"), none()),
        "listRevisions" => (list(reference("RevisionSummary")), paged(&[])),
        "getRevision" => (reference("RevisionDetail"), none()),
        "diff" => {
            let meta = [("from", plain("integer")), ("to", plain("integer"))];
            (list(reference("ResourceChange")), object(&meta))
        }
        "apply" | "rollback" => (list(reference("ResourceChange")), reference("WriteMeta")),
        "explain" => (reference("Explanation"), none()),
        "findDocuments" => (list(reference("DocumentView")), paged(&[])),
        "clearDocuments" => {
            let meta = [("deleted", plain("integer")), ("dry_run", plain("boolean"))];
            (plain("null"), object(&meta))
        }
        "getDocument" => (reference("DocumentView"), none()),
        "putDocument" | "patchDocument" | "deleteDocument" => {
            (reference("DocumentView"), object(&[("dry_run", plain("boolean"))]))
        }
        "listTokens" => (list(reference("TokenView")), none()),
        "createToken" => (reference("NewToken"), none()),
        "revokeToken" => (reference("TokenView"), none()),
        "listResources" => {
            let more = [("count", plain("integer")), ("revision", plain("integer"))];
            (list(json!({})), paged(&more))
        }
        "getResource" => (json!({}), none()),
        "putResource" | "patchResource" | "deleteResource" => (json!({}), reference("WriteMeta")),
        "restore" => {
            let flag = || plain("boolean");
            let meta = [("revision", plain("integer")), ("changed", flag()), ("dry_run", flag())];
            (plain("null"), object(&meta))
        }
        "listAudit" => (list(reference("AuditRecord")), paged(&[])),
        "rotateKey" => {
            let data = [("key_id", json!({})), ("resealed", plain("integer"))];
            (object(&data), none())
        }
        "explainLive" => (reference("LiveExplanation"), none()),
        "createDebugToken" => (reference("NewDebugToken"), none()),
        "watch" => return Some(Shape::Other(&["text/event-stream"])),
        "backup" => return Some(Shape::Other(&["application/octet-stream"])),
        "export" => return Some(Shape::Other(&["application/yaml", "application/json"])),
        _ => return None,
    };
    Some(Shape::Envelope { data, meta })
}

/// A resource of a kind, as it is shown.
pub(super) fn resource(kind: Kind) -> Value {
    // Secrets are masked there, and what a file owns has defaults written out: a spec that is
    // shown need not be one that may be written.
    let mut fields = vec![
        ("kind", json!({ "const": kind.singular() })),
        ("name", reference("Name")),
        ("owner", told(plain("string"), "`store`, `file:/etc/…` or `code`")),
        ("revision", told(plain("integer"), "The number of its last change; 0 for what files own")),
        ("spec", told(plain("object"), "As in a file, secrets masked")),
    ];
    if kind.is_namespaced() {
        fields.push(("namespace", reference("Name")));
    }
    let mut schema = object(&fields);
    for (key, about) in [
        ("etag", "The same number as an entity tag"),
        ("created_at", "When the store got it"),
        ("updated_at", "When it was changed last"),
    ] {
        schema["properties"][key] = told(plain("string"), about);
    }
    schema
}

/// The schemas that several of them share.
pub(super) fn shared() -> Map<String, Value> {
    let mut shared = Map::new();
    let all = [running(), catalogs(), history(), explanation(), documents(), problems()];
    for (name, schema) in all.into_iter().flatten() {
        shared.insert(name.to_owned(), schema);
    }
    shared
}

type Named = Vec<(&'static str, Value)>;

fn running() -> Named {
    let count = || plain("integer");
    let listener = object(&[("name", plain("string")), ("address", plain("string"))]);
    let origin = object(&[
        ("origin", plain("string")),
        ("revision", nullable("integer")),
        ("applied", plain("boolean")),
        ("problems", list(reference("Problem"))),
    ]);
    let store = object(&[
        ("origin", plain("string")),
        ("kind", nullable("string")),
        ("path", nullable("string")),
        ("bytes", nullable("integer")),
        ("revision", count()),
        ("resources", count()),
    ]);
    let status = object(&[
        ("version", plain("string")),
        ("started_at", time()),
        ("revision", count()),
        ("ready", plain("boolean")),
        ("cores", count()),
        ("listeners", list(listener)),
        ("origins", list(origin)),
        ("store", store),
        ("counts", json!({ "type": "object", "additionalProperties": count() })),
    ]);
    let latency = object(&[("p50", nullable("number")), ("p99", nullable("number"))]);
    let route = object(&[
        ("route", nullable("string")),
        ("service", nullable("string")),
        ("requests", count()),
        ("errors", count()),
        ("bytes_in", count()),
        ("bytes_out", count()),
        ("latency", latency),
    ]);
    let traffic = object(&[
        ("time", time()),
        ("routes", list(route)),
        ("connections", count()),
        ("requests_in_flight", count()),
    ]);
    vec![("Status", status), ("Traffic", traffic)]
}

fn catalogs() -> Named {
    let kind = object(&[
        ("kind", plain("string")),
        ("plural", plain("string")),
        ("short", plain("string")),
        ("namespaced", plain("boolean")),
        ("schema", told(plain("object"), "Its JSON Schema")),
    ]);
    let plugin = object(&[
        ("name", plain("string")),
        ("description", plain("string")),
        ("schema", json!({ "type": ["object", "null"], "description": "Its JSON Schema" })),
        ("example", json!({})),
        ("origin", plain("string")),
        ("routes", list(plain("string"))),
    ]);
    let extension = object(&[
        ("path", told(plain("string"), "Everything below it is answered, too")),
        ("role", told(json!({ "enum": ["viewer", "editor", "admin"] }), "Whom it takes at least")),
        ("plugin", told(nullable("string"), "Whose instance answers; null for the program")),
        ("namespace", told(nullable("string"), "The namespace of the instance")),
    ]);
    vec![("KindInfo", kind), ("PluginType", plugin), ("ExtensionInfo", extension)]
}

fn history() -> Named {
    let which = || {
        vec![
            ("kind", plain("string")),
            ("namespace", plain("string")),
            ("name", plain("string")),
            ("action", json!({ "enum": ["create", "update", "unchanged", "delete"] })),
        ]
    };
    let spec = || json!({ "type": ["object", "null"] });
    let mut change = which();
    change.extend([("before", spec()), ("after", spec())]);
    let count = || plain("integer");
    let summary = object(&[("created", count()), ("updated", count()), ("deleted", count())]);
    let revision = |changes: Value| {
        object(&[
            ("revision", count()),
            ("time", time()),
            ("author", plain("string")),
            ("message", nullable("string")),
            ("summary", summary.clone()),
            ("changes", list(changes)),
        ])
    };
    let mut audited = object(&[
        ("time", time()),
        ("author", told(plain("string"), "Who; empty where nobody was let in")),
        ("client", plain("string")),
        ("method", plain("string")),
        ("path", plain("string")),
        ("status", plain("integer")),
    ]);
    audited["properties"]["revision"] = told(plain("integer"), "What came of it");
    let written = object(&[
        ("revision", told(count(), "The last one, this change's if it is one")),
        ("changed", plain("boolean")),
        ("dry_run", plain("boolean")),
        ("warnings", list(reference("Problem"))),
    ]);
    vec![
        ("ResourceChange", object(&change)),
        ("RevisionSummary", revision(object(&which()))),
        ("RevisionDetail", revision(reference("ResourceChange"))),
        ("WriteMeta", written),
        ("AuditRecord", audited),
    ]
}

fn explanation() -> Named {
    let candidate = object(&[
        ("namespace", plain("string")),
        ("route", plain("string")),
        ("ruled_out_by", nullable("string")),
        ("detail", json!({})),
    ]);
    let step = object(&[
        ("plugin", nullable("string")),
        ("level", plain("string")),
        ("condition", json!({})),
    ]);
    let explanation = object(&[
        ("listener", plain("string")),
        ("host", plain("string")),
        ("domain", json!({ "type": ["object", "null"] })),
        ("path", plain("string")),
        ("candidates", list(candidate)),
        ("namespace", nullable("string")),
        ("route", nullable("string")),
        ("chain", list(step)),
        ("target", json!({})),
        ("status", nullable("integer")),
    ]);
    let mut live = object(&[
        ("id", nullable("string")),
        ("time", time()),
        ("revision", plain("integer")),
        ("method", plain("string")),
        ("client", plain("string")),
        ("steps", list(plain("object"))),
        ("upstream", json!({ "type": ["object", "null"] })),
        ("status", nullable("integer")),
        ("took_ms", nullable("number")),
    ]);
    live["description"] = "As an explanation, with what was decided and how long it took".into();
    let token = object(&[
        ("token", plain("string")),
        ("header", told(plain("string"), "The field it is sent in")),
        ("expires_at", time()),
    ]);
    vec![("Explanation", explanation), ("LiveExplanation", live), ("NewDebugToken", token)]
}

fn documents() -> Named {
    let document = object(&[
        ("id", plain("string")),
        ("namespace", reference("Name")),
        ("collection", reference("Name")),
        ("revision", plain("integer")),
        ("etag", plain("string")),
        ("created_at", time()),
        ("updated_at", time()),
        ("data", json!({})),
    ]);
    vec![("DocumentView", document)]
}

fn problems() -> Named {
    let place = object(&[
        ("file", plain("string")),
        ("line", plain("integer")),
        ("column", plain("integer")),
    ]);
    let mut problem = object(&[
        ("code", told(plain("string"), "A stable word for programs")),
        ("message", plain("string")),
        ("path", told(plain("string"), "Where: `match.path`, `routes[2].target`")),
    ]);
    problem["properties"]["hint"] = told(plain("string"), "What to do about it");
    problem["properties"]["place"] = place;
    let mut details = object(&[
        ("type", plain("string")),
        ("title", plain("string")),
        ("status", plain("integer")),
        ("detail", plain("string")),
        ("code", told(plain("string"), "A stable word for programs")),
    ]);
    details["description"] = "RFC 9457".into();
    details["properties"]["problems"] = list(reference("Problem"));
    vec![("Problem", problem), ("ProblemDetails", details)]
}

/// An object that has at least these fields.
fn object(fields: &[(&str, Value)]) -> Value {
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<_, _> =
        fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    if names.is_empty() {
        return plain("object");
    }
    json!({ "type": "object", "required": names, "properties": properties })
}

fn list(items: Value) -> Value {
    let mut list = plain("array");
    list["items"] = items;
    list
}

fn plain(kind: &str) -> Value {
    json!({ "type": kind })
}

fn nullable(kind: &str) -> Value {
    json!({ "type": [kind, "null"] })
}

fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn told(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.into();
    schema
}
