//! What a configuration may say, with the plugins there are.

use std::sync::{Arc, OnceLock};

use portway_plugin::{Registry, value::FORMATS};
use serde_json::Value;

use crate::{schema, walk::Shapes};

/// The language of configurations: the resources, and the plugins of a [`Registry`] with their
/// specs. Clones are the same catalog.
#[derive(Clone, Debug, Default)]
pub struct Catalog(Arc<Inner>);

#[derive(Default)]
struct Inner {
    registry: Registry,
    /// Made when the first document is read.
    shapes: OnceLock<Shapes>,
}

impl Catalog {
    /// A catalog with these plugins.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self(Arc::new(Inner { registry, shapes: OnceLock::new() }))
    }

    /// The plugins.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The JSON Schema (draft 2020-12) of a configuration, for editors and other tools.
    #[must_use]
    pub fn schema(&self) -> Value {
        schema::schema(&self.0.registry)
    }

    /// The schema of the document, prepared for walking.
    pub(crate) fn shapes(&self) -> &Shapes {
        self.0.shapes.get_or_init(|| Shapes::of(&self.schema(), &[FORMATS]))
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.registry.fmt(f)
    }
}
