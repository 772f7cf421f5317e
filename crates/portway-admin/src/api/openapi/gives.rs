//! What comes back: the envelope of what worked, and every way in which something does not.

use http::Method;
use portway_config::Kind;
use serde_json::{Map, Value, json};

use super::{
    super::operation::{Operation, Takes},
    reference, shapes,
    shapes::Shape,
};

/// Statuses of what was not done.
const REFUSALS: &[(u16, &str, &str)] = &[
    (400, "BadRequest", "The request makes no sense."),
    (401, "Unauthenticated", "Credentials are needed, or they are not good."),
    (403, "Forbidden", "This may not be done with these credentials, from there, or by that page."),
    (404, "NotFound", "There is nothing there."),
    (408, "TooSlow", "The body did not come in time."),
    (409, "InTheWay", "Something else is in the way: its owner, what needs it, a name."),
    (412, "PreconditionFailed", "It is not as the condition of the request says."),
    (413, "TooLarge", "The body is too large."),
    (415, "UnsupportedMediaType", "The body is of another type."),
    (422, "Invalid", "It would be wrong: `problems` says where and why."),
    (429, "TooManyLogins", "Too many logins have failed: see `Retry-After`."),
    (500, "Damaged", "What the store holds cannot be read."),
    (503, "Unavailable", "The gateway is starting or ending, or the store does not answer."),
    (507, "Full", "The disk is full. Nothing was changed."),
];

/// What any operation may answer.
const ALWAYS: [u16; 6] = [400, 401, 403, 429, 500, 503];
/// What one with a body may answer besides.
const WITH_BODY: [u16; 3] = [408, 413, 415];

/// The responses of an operation, by their status.
pub(super) fn responses(operation: &Operation, kind: Option<Kind>) -> Value {
    let mut statuses: Vec<u16> = operation.statuses.to_vec();
    statuses.extend(ALWAYS);
    if operation.body != Takes::Nothing {
        statuses.extend(WITH_BODY);
    }
    if is_write(operation) {
        statuses.push(507);
    }
    // A token is made or refused; it never was there before.
    if !matches!(operation.id, "createToken" | "createDebugToken") {
        statuses.push(200);
    }
    statuses.sort_unstable();
    statuses.dedup();
    let responses = statuses.into_iter().map(|status| {
        let refusal = REFUSALS.iter().find(|(refusal, ..)| *refusal == status);
        let response = match refusal {
            Some((_, name, _)) => json!({ "$ref": format!("#/components/responses/{name}") }),
            None => good(operation, kind, status),
        };
        (status.to_string(), response)
    });
    Value::Object(responses.collect())
}

fn is_write(operation: &Operation) -> bool {
    operation.method != Method::GET && operation.id != "explain"
}

fn good(operation: &Operation, kind: Option<Kind>, status: u16) -> Value {
    let about = if status == 201 { "It is there from now on." } else { "It is as was asked." };
    let content = match shapes::of(operation.id) {
        Some(Shape::Other(media)) => {
            let each = media.iter().map(|media| {
                let schema = if *media == "text/event-stream" {
                    json!({ "type": "string" })
                } else {
                    json!({})
                };
                ((*media).to_owned(), json!({ "schema": schema }))
            });
            Value::Object(each.collect())
        }
        Some(Shape::Envelope { data, meta }) => {
            let data = match kind {
                Some(kind) => of_kind(data, kind),
                None => data,
            };
            let envelope = json!({
                "type": "object",
                "required": ["data", "meta"],
                "properties": { "data": data, "meta": meta },
            });
            json!({ "application/json": { "schema": envelope } })
        }
        None => json!({ "application/json": {} }),
    };
    let mut response = json!({ "description": about, "content": content });
    if has_tag(operation.id) {
        response["headers"] = json!({ "ETag": { "$ref": "#/components/headers/ETag" } });
    }
    if operation.id == "backup" {
        let name = json!({ "description": "A name for the file.", "schema": { "type": "string" } });
        response["headers"] = json!({ "Content-Disposition": name });
    }
    response
}

/// Resources are those of a kind.
fn of_kind(mut data: Value, kind: Kind) -> Value {
    let of_kind = reference(&format!("{}Resource", kind.definition()));
    if data.get("items").is_some() {
        data["items"] = of_kind;
        return data;
    }
    of_kind
}

fn has_tag(id: &str) -> bool {
    let tagged = [
        "getResource",
        "putResource",
        "patchResource",
        "getDocument",
        "putDocument",
        "patchDocument",
    ];
    tagged.contains(&id)
}

/// Header fields of answers.
pub(super) fn headers() -> Value {
    let field = |about: &str, kind: &str, required: bool| json!({ "description": about, "required": required, "schema": { "type": kind } });
    json!({
        "ETag": field(
            "The number of its last change, in quotes, for `If-Match`. What the store does not \
             own has none.",
            "string",
            false,
        ),
        "WWW-Authenticate": field("What credentials are taken.", "string", true),
        "Retry-After": field("After how many seconds to try again.", "integer", true),
    })
}

/// The answers to what was not done.
pub(super) fn refusals() -> Value {
    let each = REFUSALS.iter().map(|(status, name, about)| {
        let mut response = json!({
            "description": about,
            "content": { "application/problem+json": { "schema": reference("ProblemDetails") } },
        });
        let field = match status {
            401 => Some("WWW-Authenticate"),
            429 => Some("Retry-After"),
            _ => None,
        };
        if let Some(field) = field {
            let reference = json!({ "$ref": format!("#/components/headers/{field}") });
            response["headers"] = json!({ field: reference });
        }
        ((*name).to_owned(), response)
    });
    Value::Object(each.collect::<Map<_, _>>())
}
