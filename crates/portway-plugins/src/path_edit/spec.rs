//! What a configuration says about paths.

use portway_plugin::value::{PathPrefix, PathTemplate, Regex};
use schemars::JsonSchema;
use serde::Deserialize;

/// Another path. At most one of the three ways is given.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct PathEditSpec {
    /// A path in place of the whole one. `{NAME}` stands for a parameter of the route's path, as
    /// in `/v2/accounts/{id}`; one that the route does not have is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathTemplate>,
    /// Another prefix, by whole segments. A path without the old one stays what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<PrefixEdit>,
    /// A path made of the parts of the old one. A path that the expression does not fit stays
    /// what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<RegexEdit>,
}

/// A prefix for another: `{from: /api, to: /}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct PrefixEdit {
    /// What the path begins with: `/api` is a prefix of `/api` and `/api/x`, not of `/apis`.
    pub from: PathPrefix,
    /// What it begins with instead; `/` takes the prefix off.
    pub to: PathPrefix,
}

/// A path by its parts: `{match: "/users/(?<id>[0-9]+)", to: "/u/{id}"}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct RegexEdit {
    /// What the whole path has to fit, in its normal form: escapes stay escaped. Parts that are
    /// wanted are named groups: `(?<id>[0-9]+)`. It runs in linear time.
    #[serde(rename = "match")]
    pub fits: Regex,
    /// The path made of them. `{NAME}` stands for a group, or else for a parameter of the route's
    /// path.
    pub to: PathTemplate,
}
