//! What a configuration may say, with the plugins there are.

use std::sync::{Arc, OnceLock};

use portway_plugin::{
    Registry,
    value::{FORMATS, Name},
};
use serde_json::Value;

use crate::{resource::Kind, schema, sensitive, walk::Shapes};

/// The language of configurations: the resources, and the plugins of a [`Registry`] with their
/// specs. Clones are the same catalog.
#[derive(Clone, Debug, Default)]
pub struct Catalog(Arc<Inner>);

#[derive(Default)]
struct Inner {
    registry: Registry,
    protocols: Vec<Name>,
    schema: OnceLock<Value>,
    /// Made when the first document is read.
    shapes: OnceLock<Shapes>,
    /// The same for one resource, by kind.
    of_kinds: OnceLock<Vec<(Kind, Shapes)>>,
}

impl Catalog {
    /// A catalog with these plugins.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self(Arc::new(Inner { registry, ..Inner::default() }))
    }

    /// The same, where the program brings protocols of its own with these names.
    #[must_use]
    pub fn with_protocols(registry: Registry, protocols: Vec<Name>) -> Self {
        Self(Arc::new(Inner { registry, protocols, ..Inner::default() }))
    }

    /// The names of the program's own protocols.
    #[must_use]
    pub fn protocols(&self) -> &[Name] {
        &self.0.protocols
    }

    /// The plugins.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The JSON Schema (draft 2020-12) of a configuration, for editors and other tools.
    #[must_use]
    pub fn schema(&self) -> &Value {
        self.0.schema.get_or_init(|| schema::schema(&self.0.registry))
    }

    /// The JSON Schema of one resource of a kind, which stands by itself.
    #[must_use]
    pub fn schema_of(&self, kind: Kind) -> Value {
        schema::part(self.schema(), kind.definition())
    }

    /// The JSON Schema of the spec of a plugin, which stands by itself.
    #[must_use]
    pub fn plugin_schema(&self, plugin: &str) -> Option<Value> {
        let path = format!("/$defs/PluginInstance/properties/{plugin}/$ref");
        let definition = self.schema().pointer(&path)?.as_str()?.strip_prefix("#/$defs/")?;
        Some(schema::part(self.schema(), definition))
    }

    /// Visits every secret text of a resource of `kind`, with its path in it: `jwt[0].secret`.
    pub fn visit_secrets(
        &self,
        kind: Kind,
        resource: &mut Value,
        visitor: &mut dyn FnMut(&str, &mut String),
    ) {
        sensitive::visit(self.schema(), kind.definition(), resource, visitor);
    }

    /// The schema of the document, prepared for walking.
    pub(crate) fn shapes(&self) -> &Shapes {
        self.0.shapes.get_or_init(|| Shapes::of(self.schema(), &[FORMATS]))
    }

    /// The schema of one resource, prepared for walking.
    pub(crate) fn shapes_of(&self, kind: Kind) -> &Shapes {
        let all = self.0.of_kinds.get_or_init(|| {
            let shapes = |kind: &Kind| {
                let definition = format!("/$defs/{}", kind.definition());
                (*kind, Shapes::of_part(self.schema(), &definition, &[FORMATS]))
            };
            Kind::ALL.iter().map(shapes).collect()
        });
        let found = all.iter().find(|(one, _)| *one == kind);
        &found.expect("every kind has its shapes").1
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.registry.fmt(f)
    }
}
