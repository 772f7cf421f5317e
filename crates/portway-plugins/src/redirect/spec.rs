//! What a configuration says about another place.

use std::num::NonZeroU16;

use http::StatusCode;
use portway_plugin::value::{HostValue, Scheme};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::path_edit::PathEditSpec;

/// Where clients are sent instead. What is not given stays as the client asked for it. A request
/// that is there already goes on to its target.
///
/// ```yaml
/// scheme: https
/// host: www.example.com
/// prefix: {from: /old, to: /new}
/// status: 308
/// ```
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct RedirectSpec {
    /// `http` or `https`. Default: the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// The host, perhaps with a port. Default: the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostValue>,
    /// The port. Default: the client's where scheme and host stay, else the scheme's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<NonZeroU16>,
    /// The path: one of `path`, `prefix` and `regex`.
    #[serde(flatten)]
    pub path: PathEditSpec,
    /// Whether the query goes with it. Default: `true`.
    #[serde(default = "yes")]
    pub keep_query: bool,
    /// 301 and 308 for good, 302 and 307 for now; 307 and 308 keep the method, 303 makes it GET.
    /// Default: 302.
    #[serde(default)]
    pub status: RedirectStatus,
}

/// The status of a redirect: 301, 302, 303, 307 or 308.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct RedirectStatus(StatusCode);

impl RedirectStatus {
    /// The status.
    #[must_use]
    pub const fn get(self) -> StatusCode {
        self.0
    }
}

/// 302.
impl Default for RedirectStatus {
    fn default() -> Self {
        Self(StatusCode::FOUND)
    }
}

impl TryFrom<u16> for RedirectStatus {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        match StatusCode::from_u16(status) {
            Ok(code) if matches!(status, 301 | 302 | 303 | 307 | 308) => Ok(Self(code)),
            _ => Err(format!("{status} is not a redirect status (301, 302, 303, 307, 308)")),
        }
    }
}

impl JsonSchema for RedirectStatus {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PluginRedirectStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": [301, 302, 303, 307, 308] })
    }
}

fn yes() -> bool {
    true
}
