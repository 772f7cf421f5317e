//! What a configuration says about it.

use std::collections::BTreeMap;

use portway_plugin::value::{Cidr, Expression};
use schemars::JsonSchema;
use serde::Deserialize;

/// Lets some in and keeps others out. Whoever may not ask gets 403.
///
/// ```yaml
/// acl: {allow: {groups: [staff]}, deny: {consumers: [mallory]}}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct AclSpec {
    /// Who may ask: whoever is on it by any of its lists. Left out, everybody who is not denied.
    /// For conditions that must all hold, attach the plugin once for each.
    #[serde(default)]
    pub allow: AclList,
    /// Who may not ask, even when allowed. Where it names consumers, groups or claims, a request
    /// of which nobody has found out who asks is denied too.
    #[serde(default)]
    pub deny: AclList,
}

/// Who is meant: any of these.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AclList {
    /// Consumers by their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<String>,
    /// Groups of consumers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Claims of tokens, each with the values that count; an empty list stands for any value. A
    /// name with dots leads into objects: `realm_access.roles: [admin]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Vec<String>>,
    /// Addresses of clients.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Cidr>,
    /// An expression in CEL that is true of whoever is on the list:
    /// `request.method == "GET" || "ops" in consumer.groups`. One that is neither true nor false of
    /// a request, such as one about a claim that a token does not have, lets nobody in under
    /// `allow` and keeps everybody out under `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<Expression>,
}
