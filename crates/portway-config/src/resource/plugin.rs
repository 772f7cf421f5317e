//! Plugins: instances of them, and where they are attached.

use std::collections::BTreeMap;

use portway_plugin::value::{Cidr, Expression, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Match, Meta};

/// A plugin and its spec, under the plugin's name: `rate-limit: {limits: [100/1m]}`. The schema
/// lists the plugins that are there; the spec is read by the plugin.
pub type PluginSpec = BTreeMap<String, Value>;

/// An instance that is shared by all who name it. It keeps its state across changes that do not
/// touch it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct PluginInstance {
    /// Name, namespace, labels, description, switch.
    #[serde(flatten)]
    pub meta: Meta,
    /// The plugin and its spec.
    #[serde(flatten)]
    pub plugin: PluginSpec,
}

/// A plugin at work for the requests of a listener, a service, a route, an endpoint, or for all:
/// the name of a shared instance, or an instance of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Attached {
    /// The shared instance of this name.
    Shared(Name),
    /// One of its own, or a shared one with something more to say.
    With(Box<Attachment>),
}

/// How a plugin is attached. Exactly one of `use`, `without` and a plugin's name is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The shared instance of this name.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub shared: Option<Name>,
    /// Switches off what a wider level has attached under this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<Name>,
    /// Takes the place of what a wider level has attached under this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Name>,
    /// What narrower levels call it. Without it, the name of the shared instance or of the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Of several at one level, one of higher priority stands further out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// The requests it is for. Without it, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<When>>,
    /// `true` only reports, in the log and the metrics, what it would have done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// `false` leaves it out.
    #[serde(default = "enabled", skip_serializing_if = "is_true")]
    pub enabled: bool,
    /// The plugin and its spec.
    #[serde(flatten)]
    pub plugin: PluginSpec,
}

/// Conditions that must all hold. One that is left out always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct When {
    /// What the request must look like.
    #[serde(flatten)]
    pub request: Match,
    /// Addresses of clients, any of which may match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<Cidr>,
    /// An expression in CEL that must be true: `request.headers["x-beta"] == "1"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<Expression>,
    /// Marks that plugins further out have left on the request, such as those of
    /// `ip-restriction`, any of which may match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Name>,
}

impl Attached {
    /// The long form.
    #[must_use]
    pub fn attachment(&self) -> std::borrow::Cow<'_, Attachment> {
        match self {
            Self::With(attachment) => std::borrow::Cow::Borrowed(attachment),
            Self::Shared(name) => std::borrow::Cow::Owned(Attachment {
                shared: Some(name.clone()),
                enabled: true,
                ..Attachment::default()
            }),
        }
    }
}

impl Attachment {
    /// The plugin's name and its spec, where it has an instance of its own.
    #[must_use]
    pub fn own(&self) -> Option<(&str, &Value)> {
        self.plugin.iter().next().map(|(name, spec)| (name.as_str(), spec))
    }

    /// What narrower levels call it.
    #[must_use]
    pub fn called(&self) -> &str {
        let named = self.name.as_ref().or(self.shared.as_ref()).map(Name::as_str);
        named.or_else(|| self.own().map(|(plugin, _)| plugin)).unwrap_or_default()
    }
}

impl PluginInstance {
    /// The plugin's name and its spec.
    #[must_use]
    pub fn own(&self) -> Option<(&str, &Value)> {
        self.plugin.iter().next().map(|(name, spec)| (name.as_str(), spec))
    }
}

fn enabled() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(value: &i32) -> bool {
    *value == 0
}
