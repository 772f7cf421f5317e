//! What a configuration says about origins.

use portway_plugin::value::{Duration, FieldName, Method, OriginPattern, Regex};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which pages of other origins may use the service, and how.
///
/// ```yaml
/// origins: [https://app.example.com, "https://*.example.org"]
/// methods: [GET, POST]
/// headers: [content-type, authorization]
/// credentials: true
/// max_age: 10m
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct CorsSpec {
    /// The origins that are allowed: `https://app.example.com`, `https://*.example.com` for every
    /// name below it, `*` for any, `null` for pages that have none, or `{regex: …}` for an
    /// expression the whole origin fits. Patterns and expressions never take `null`: anybody can
    /// send it, so it has to be listed.
    pub origins: Vec<Origin>,
    /// The methods that are allowed. Default: GET, HEAD, POST, PUT, PATCH and DELETE.
    #[serde(default = "usual_methods")]
    pub methods: Vec<Method>,
    /// The header fields that requests may have beyond those every page may send; `*` allows
    /// whatever is asked for. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<FieldName>,
    /// The header fields of answers that pages may read beyond those every page may; `*` for all
    /// of them, without `credentials` only. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposed_headers: Vec<FieldName>,
    /// Whether requests may carry cookies, client certificates and `Authorization`. The origins
    /// must be named then: neither `*` nor `null` is taken. Default: `false`.
    #[serde(default)]
    pub credentials: bool,
    /// How long a browser may keep the answer to a preflight, in whole seconds; `0` for not at
    /// all. Default: what the browser does by itself, which is 5 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
    /// Whether public pages may use a service in a private network (the Private Network Access
    /// draft). Default: `false`.
    #[serde(default)]
    pub private_network: bool,
}

/// One origin, or many.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Origin {
    /// By name or by pattern.
    Pattern(OriginPattern),
    /// By an expression.
    Regex {
        /// The expression the whole origin fits, such as `https://pr-[0-9]+\.example\.com`.
        regex: Regex,
    },
}

fn usual_methods() -> Vec<Method> {
    use http::Method as M;
    [M::GET, M::HEAD, M::POST, M::PUT, M::PATCH, M::DELETE].map(Method::from).into()
}
