//! Namespaces, and the domains by which requests find theirs.

use portway_plugin::value::{DomainPattern, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, KeyPair, Meta};

/// A world of its own: resources refer to others of their namespace only. The namespace `default`
/// is always there; declared with `enabled: false`, it is switched off, and so is everything in a
/// namespace that is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Namespace {
    /// Name, labels, description, switch. A namespace is in no namespace itself.
    #[serde(flatten)]
    pub meta: Meta,
}

/// Hosts that belong to a namespace: their requests meet the routes of that namespace and no
/// others. Where no domain is declared, all routes take requests of all hosts; where some are, a
/// host that none has belongs to the namespace `default`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Domain {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// The hosts: `shop.example.com`, `*.example.com`, `shop.*`, `*shop*`, or a regular expression
    /// between slashes.
    #[schemars(length(min = 1))]
    pub patterns: Vec<DomainPattern>,
    /// Of several domains that have a host, the one of the highest priority decides; of several of
    /// one priority, the one with the narrowest pattern: exact before prefix and suffix, those
    /// before contains, that before a regular expression; a longer one before a shorter one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// The certificate resource that listeners with TLS show for these hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Name>,
}

impl Config {
    /// Whether namespaces are kept apart by the hosts of requests: where a domain is declared, be
    /// it switched off.
    #[must_use]
    pub fn tells_namespaces_apart(&self) -> bool {
        !self.domains.is_empty()
    }

    /// Whether a namespace is not switched off.
    #[must_use]
    pub fn has_enabled(&self, namespace: &Name) -> bool {
        !self.namespaces.iter().any(|one| !one.meta.enabled && one.meta.name == *namespace)
    }
}

/// A certificate that domains show by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// The certificate and its key.
    #[serde(flatten)]
    pub pair: KeyPair,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(value: &i32) -> bool {
    *value == 0
}
