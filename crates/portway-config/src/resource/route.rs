//! Routes: which requests go where, and what is changed on the way.

use std::collections::BTreeMap;

use portway_plugin::value::{
    ByteSize, FieldName, FieldValue, HostValue, Name, PathPrefix, PathTemplate, Scheme, Status,
    TextForm, Weight,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attached, Files, HostPolicy, ListenerProtocol, Matches, Meta, Timeouts};

/// A resource of its own, wherever it is written: under a service it inherits the service; at the
/// top level it names a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// What the route takes: requests, or the connections of a listener of that protocol.
    #[serde(default)]
    pub protocol: ListenerProtocol,
    /// The listeners whose clients it takes, by name. Without any, those of all listeners of its
    /// protocol.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<Name>,
    /// Which requests the route takes. Without it, all of them.
    #[serde(default, rename = "match")]
    pub matches: Matches,
    /// Where they go. A route under a service has no target: it goes to the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// A route of higher priority is tried before all routes of lower priority.
    #[serde(default)]
    pub priority: i32,
    /// What is done to the path before it is forwarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<Rewrite>,
    /// The `Host` the upstream sees. Without it, as the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostPolicy>,
    /// How long each stage may take. What is left out comes from the service.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// The bytes of a request body; more is answered 413. Without it, as the listener says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_limit: Option<ByteSize>,
    /// Plugins for the requests of the route.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<Attached>,
}

impl Route {
    /// A route called `name` that takes every request, with every default and no target.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            meta: Meta::named(name),
            protocol: ListenerProtocol::default(),
            listeners: Vec::new(),
            matches: Matches::default(),
            target: None,
            priority: 0,
            rewrite: None,
            host: None,
            timeouts: Timeouts::default(),
            body_limit: None,
            plugins: Vec::new(),
        }
    }
}

/// Where a route's requests go.
// What is rare and large is boxed: there may be ten thousand routes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// To the service of this name.
    Service(Name),
    /// To one of several services, each as often as its weight says.
    Services(Vec<WeightedService>),
    /// Nowhere: the gateway sends files of its own.
    Files(Box<Files>),
    /// Nowhere: this is the answer.
    Reply(Box<Reply>),
    /// Nowhere: the client is sent elsewhere.
    Redirect(Box<Redirect>),
}

/// A service and its share of a route's requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct WeightedService {
    /// The service's name.
    pub service: Name,
    /// Its share, relative to the others. `0` takes none.
    #[serde(default)]
    pub weight: Weight,
}

/// An answer of the gateway's own: the same for every request, or made from a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The status. Default 200.
    #[serde(default)]
    pub status: Status,
    /// Header fields of the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "format": FieldName::FORMAT.name }))]
    pub headers: BTreeMap<FieldName, FieldValue>,
    /// The body, as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Whether the body and the header fields are templates: `{id}` is a capture of the route,
    /// `{request.host}` what the request says, `{{` and `}}` are braces. What is put in is escaped
    /// as the `content-type` of the reply demands. Without it, they are sent as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub template: bool,
}

/// Sends the client elsewhere. What is left out stays as the client asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Redirect {
    /// The status: 301, 302, 303, 307 or 308. Default 302.
    #[serde(default)]
    pub status: RedirectStatus,
    /// `http` or `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// The host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostValue>,
    /// The port. Without it, none when `scheme` or `host` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The path, with the route's captures: `/new/{id}`. The query is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathTemplate>,
    /// What takes the place of the prefix that was matched; what follows it stays. The query is
    /// kept. Not together with `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<PathPrefix>,
}

/// The status of a redirect (RFC 9110 section 15.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u16", into = "u16")]
#[schemars(extend("enum" = [301, 302, 303, 307, 308]), with = "u16")]
pub enum RedirectStatus {
    /// 301 Moved Permanently.
    MovedPermanently,
    /// 302 Found.
    #[default]
    Found,
    /// 303 See Other.
    SeeOther,
    /// 307 Temporary Redirect.
    TemporaryRedirect,
    /// 308 Permanent Redirect.
    PermanentRedirect,
}

impl TryFrom<u16> for RedirectStatus {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        match status {
            301 => Ok(Self::MovedPermanently),
            302 => Ok(Self::Found),
            303 => Ok(Self::SeeOther),
            307 => Ok(Self::TemporaryRedirect),
            308 => Ok(Self::PermanentRedirect),
            other => Err(format!("{other} is not a redirect status (301, 302, 303, 307, 308)")),
        }
    }
}

impl From<RedirectStatus> for u16 {
    fn from(status: RedirectStatus) -> Self {
        match status {
            RedirectStatus::MovedPermanently => 301,
            RedirectStatus::Found => 302,
            RedirectStatus::SeeOther => 303,
            RedirectStatus::TemporaryRedirect => 307,
            RedirectStatus::PermanentRedirect => 308,
        }
    }
}

/// What is done to the path before it is forwarded. The service's own path is put before the
/// result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rewrite {
    /// Takes this prefix off, by whole segments.
    StripPrefix(PathPrefix),
    /// Puts this path in its place, with the route's captures: `/v2/accounts/{id}`.
    Path(PathTemplate),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be ten thousand, and allocators round up: what is rare is boxed.
    #[test]
    fn a_route_is_small() {
        let size = size_of::<Route>();
        assert!(size <= 496, "{size} bytes");
    }
}
