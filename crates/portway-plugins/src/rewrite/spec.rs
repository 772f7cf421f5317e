//! What a configuration says about another target.

use std::collections::BTreeMap;

use portway_plugin::value::{HostValue, LineTemplate};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::path_edit::PathEditSpec;

/// Another target for requests: a host, a path, a query. What is not given stays.
///
/// The new path has neither `//` nor dot segments; a request whose parts would make a dot segment
/// is refused with 400.
///
/// ```yaml
/// host: accounts.internal
/// prefix: {from: /api/v1, to: /}
/// query: {set: {tenant: "{request.host}"}, remove: [debug]}
/// ```
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct RewriteSpec {
    /// The host the upstream is told, in place of what the service says about it. Which endpoint
    /// is asked does not change. Default: what the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostValue>,
    /// The path: one of `path`, `prefix` and `regex`.
    #[serde(flatten)]
    pub path: PathEditSpec,
    /// Changes to the query. What is not named in them stays byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryEditSpec>,
}

/// Changes to the parameters of a query. Removals come first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct QueryEditSpec {
    /// Parameters to take out, all of their name. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Parameters that take the place of all of their name, at the end of the query. Values are
    /// templates as in `request-headers`, and are escaped. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, LineTemplate>,
}
