//! What a request must look like for a route to take it.

use std::fmt;

use portway_plugin::value::{
    FieldName, HostPattern, Method, PathPattern, PathPrefix, Regex, RequestPath,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One match or several; a request that fits any of them fits the route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Matches {
    // Before the single one, which would take an empty list for itself.
    /// Several, in order.
    Any(Vec<Match>),
    /// A single match.
    One(Match),
}

impl Matches {
    /// The matches in declaration order.
    #[must_use]
    pub fn as_slice(&self) -> &[Match] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Any(any) => any,
        }
    }

    /// The matches in declaration order, to change.
    pub fn as_mut_slice(&mut self) -> &mut [Match] {
        match self {
            Self::One(one) => std::slice::from_mut(one),
            Self::Any(any) => any,
        }
    }
}

impl Default for Matches {
    fn default() -> Self {
        Self::One(Match::default())
    }
}

/// Conditions that must all hold. One that is left out always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Match {
    /// Hosts: `api.example.com`, or `*.example.com` for every name below it. A port in the
    /// request's host is ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostPattern>,
    /// Names a TLS client asks for (SNI), for routes of the protocol `tls`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sni: Vec<HostPattern>,
    /// Methods. `GET` implies neither `HEAD` nor `OPTIONS`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
    /// The path: a template such as `/account/{id}`, or one of `{exact: …}`, `{prefix: …}`,
    /// `{regex: …}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathMatch>,
    /// Header fields, all of which must match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<ValueMatch<FieldName>>,
    /// Query parameters, all of which must match. The first of several with one name counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<ValueMatch<String>>,
    /// What the client's verified certificate says, all of which must match. A client without one
    /// matches nothing here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_certificate: Vec<ValueMatch<CertificatePart>>,
}

/// A part of a client's certificate. Where it has several of one kind, any of them may match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificatePart {
    /// Its whole subject (RFC 4514): `CN=billing,O=Example`.
    Subject,
    /// The common name of its subject.
    CommonName,
    /// A DNS name among its alternative names.
    Dns,
    /// A URI among its alternative names, such as a SPIFFE identity.
    Uri,
    /// A mail address among its alternative names.
    Email,
    /// The SHA-256 of the certificate, in lower-case hexadecimal.
    Fingerprint,
}

impl CertificatePart {
    /// The word in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::CommonName => "common_name",
            Self::Dns => "dns",
            Self::Uri => "uri",
            Self::Email => "email",
            Self::Fingerprint => "fingerprint",
        }
    }
}

/// How a path is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PathMatch {
    /// A template: literal segments, `{name}` for one segment, `{a}-{b}` for parts of one,
    /// `{name:regex}`, and `{*rest}` at the end for everything that follows.
    Pattern(PathPattern),
    /// One of the typed forms.
    Typed(TypedPath),
}

impl fmt::Display for PathMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => pattern.fmt(f),
            Self::Typed(typed) => typed.fmt(f),
        }
    }
}

/// The typed forms of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TypedPath {
    /// The whole path, byte for byte in its normal form.
    Exact(RequestPath),
    /// This path and everything below it, by whole segments.
    Prefix(PathPrefix),
    /// A regular expression over the whole path. It runs in linear time.
    Regex(Regex),
}

impl TypedPath {
    /// The only path it takes.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(path) => Some(path.as_str()),
            Self::Prefix(_) | Self::Regex(_) => None,
        }
    }
}

impl fmt::Display for TypedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => write!(f, "exact {path}"),
            Self::Prefix(prefix) => write!(f, "prefix {prefix}"),
            Self::Regex(regex) => write!(f, "regex {regex}"),
        }
    }
}

/// A condition on one named value: `exact`, `regex`, or, with neither, that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ValueMatch_{N}")]
pub struct ValueMatch<N> {
    /// The name of the header field or query parameter.
    pub name: N,
    /// The value, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// A regular expression over the whole value. It runs in linear time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<Regex>,
}
