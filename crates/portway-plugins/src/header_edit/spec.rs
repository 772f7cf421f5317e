//! What a configuration says about header fields.

use std::collections::BTreeMap;

use portway_plugin::value::{FieldName, LineTemplate};
use schemars::JsonSchema;
use serde::Deserialize;

/// Changes to the header fields of a message. They are made in this order, wherever they stand in
/// the configuration: `remove`, `rename`, `set`, `add`.
///
/// Values are templates: `{request.host}`, `{request.path}`, `{request.method}`,
/// `{request.scheme}`, `{request.client}`, `{request.id}`, `{request.query.NAME}` and
/// `{request.header.NAME}` stand for what the client's request says, `{NAME}` for a parameter of
/// the route's path, `{{` and `}}` for braces. What the request does not have is empty. No value
/// can end the line: control characters are escaped as in a URL.
///
/// Fields that frame a message or concern one connection (`content-length`, `transfer-encoding`,
/// `connection` and the like) cannot be named. Neither can, for requests, `host` (see `rewrite`)
/// and the fields by which the gateway itself tells the upstream who asks.
///
/// ```yaml
/// remove: [x-powered-by]
/// rename: {x-user: x-account}
/// set: {cache-control: no-store}
/// add: {x-seen-by: "{request.host}"}
/// ```
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct HeaderEditSpec {
    /// Fields to take off, all their lines. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<FieldName>,
    /// New names for fields, by the old ones. All lines move, and take the place of what the new
    /// name had. A field that is not there changes nothing. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rename: BTreeMap<FieldName, FieldName>,
    /// Values that take the place of what there is. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<FieldName, LineTemplate>,
    /// Values that are added to what there is, each in a line of its own: one text, or a list of
    /// them. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<FieldName, OneOrMany>,
}

/// One text, or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One line.
    One(LineTemplate),
    /// A line for each.
    Many(Vec<LineTemplate>),
}

impl OneOrMany {
    /// The texts.
    pub(super) fn as_slice(&self) -> &[LineTemplate] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}
