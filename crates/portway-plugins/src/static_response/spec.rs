//! What a configuration says about an answer of its own.

use std::collections::BTreeMap;

use portway_plugin::value::{FieldName, FieldValue, LineTemplate, Status};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// An answer of the configuration's own:
///
/// ```yaml
/// static-response: {status: 410, json: {error: gone, path: "{request.path}"}}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct StaticResponseSpec {
    /// The status, 200 to 599. Default 200.
    #[serde(default)]
    pub status: Status,
    /// Header fields. `{request.host}` and `{id}` stand for what the request and its route say,
    /// `{{` and `}}` for braces.
    #[serde(default)]
    pub headers: BTreeMap<FieldName, LineTemplate>,
    /// The body as text, in which values stand as in `headers`, escaped as the type of the content
    /// demands.
    #[serde(default)]
    pub body: Option<String>,
    /// The body as JSON, in whose strings values stand as in `headers`. In place of `body`.
    #[serde(default)]
    pub json: Option<Value>,
    /// The type of the content. Default `text/plain; charset=utf-8`, for `json` `application/json`.
    #[serde(default)]
    pub content_type: Option<FieldValue>,
}
