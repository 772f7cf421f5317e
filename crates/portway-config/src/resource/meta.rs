//! What every resource has: a name, a namespace, labels, a description, a switch.

use portway_plugin::value::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Labels;

/// The fields every resource shares.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    /// The resource's name: unique among resources of its kind in its namespace. It is the label
    /// in metrics and in the access log.
    pub name: Name,
    /// The namespace the resource belongs to. Resources refer to others of their own namespace.
    #[serde(default, skip_serializing_if = "Name::is_default_namespace")]
    pub namespace: Name,
    /// Free key–value pairs for people and tools. They do not change how traffic is served.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `false` takes the resource out of service without deleting it.
    #[serde(default = "enabled", skip_serializing_if = "is_enabled")]
    pub enabled: bool,
}

impl Meta {
    /// The key of the label that metrics and the access log show in place of the name. Documents
    /// of other gateways, where names are free text, set it.
    pub const DISPLAY_LABEL: &str = "display-name";

    /// What metrics and the access log call the resource: its name, unless a label says otherwise.
    #[must_use]
    pub fn label(&self) -> &str {
        self.labels.get(Self::DISPLAY_LABEL).unwrap_or(self.name.as_str())
    }

    /// The name by which a program calls it: `namespace/name` outside the default namespace.
    #[must_use]
    pub fn called(&self) -> String {
        match self.namespace.is_default_namespace() {
            true => self.name.to_string(),
            false => format!("{}/{}", self.namespace, self.name),
        }
    }

    /// A resource called `name` in the default namespace, enabled.
    #[must_use]
    pub fn named(name: Name) -> Self {
        Self {
            name,
            namespace: Name::default(),
            labels: Labels::default(),
            description: None,
            enabled: true,
        }
    }
}

fn enabled() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_enabled(enabled: &bool) -> bool {
    *enabled
}
