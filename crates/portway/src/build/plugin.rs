//! Plugins: shared instances, and where one is attached.

use portway_config::{Attached, Attachment, Kind, Meta, PluginInstance, PluginSpec};
use portway_plugin::Problem;
use serde::Serialize;

use super::Texts;
use crate::{Problems, problems::read};

/// An instance of a plugin that is shared by all who name it.
///
/// ```
/// use portway::build::Plugin;
///
/// let limits = Plugin::new("limits", "rate-limit", serde_json::json!({"limits": ["100/1m"]}));
/// assert!(limits.build().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Plugin {
    one: PluginInstance,
    texts: Texts,
}

impl Plugin {
    /// An instance called `name` of the plugin `plugin`.
    #[must_use]
    pub fn new(name: &str, plugin: &str, spec: impl Serialize) -> Self {
        let (mut texts, name) = Texts::of(Kind::Plugin, name);
        let plugin = one(plugin, spec).map_err(|problem| texts.problems.push(problem));
        let plugin = plugin.unwrap_or_default();
        Self { one: PluginInstance { meta: Meta::named(name), plugin }, texts }
    }

    /// Changes anything else about it.
    #[must_use]
    pub fn edit(mut self, change: impl FnOnce(&mut PluginInstance)) -> Self {
        change(&mut self.one);
        self
    }

    /// The resource.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn build(self) -> Result<PluginInstance, Problems> {
        self.texts.done(self.one)
    }
}

/// A plugin with an instance of its own wherever this is attached: for `global_plugins`, and for
/// the fields `plugins` of resources.
///
/// # Errors
/// The spec is nothing that JSON can say.
pub fn own(plugin: &str, spec: impl Serialize) -> Result<Attached, Problem> {
    let plugin = one(plugin, spec)?;
    Ok(Attached::With(Box::new(Attachment { plugin, enabled: true, ..Attachment::default() })))
}

/// The shared instance of this name.
///
/// # Errors
/// It is no name.
pub fn shared(name: &str) -> Result<Attached, Problem> {
    read(name, "plugins").map(Attached::Shared)
}

/// What is attached to a resource that is made.
macro_rules! attaching {
    ($type:ident, $($list:ident).+) => {
        /// Plugins.
        impl $type {
            /// With a plugin, and its spec: one around its requests, in the order of these lines.
            #[must_use]
            pub fn plugin(self, name: &str, spec: impl serde::Serialize) -> Self {
                self.attached(super::own(name, spec))
            }

            /// With a shared plugin, by its name.
            #[must_use]
            pub fn shared_plugin(self, name: &str) -> Self {
                self.attached(super::shared(name))
            }

            fn attached(
                mut self,
                attached: Result<portway_config::Attached, portway_plugin::Problem>,
            ) -> Self {
                match attached {
                    Ok(attached) => self.$($list).+.push(attached),
                    Err(problem) => {
                        let path = format!("{} {}", self.texts.of, problem.path);
                        self.texts.problems.push(problem.at(path.trim_start()));
                    }
                }
                self
            }
        }
    };
}

fn one(plugin: &str, spec: impl Serialize) -> Result<PluginSpec, Problem> {
    let spec = serde_json::to_value(spec).map_err(|error| {
        Problem::new("bad_value", error.to_string()).at(format!("plugins.{plugin}"))
    })?;
    Ok([(plugin.to_owned(), spec)].into())
}
