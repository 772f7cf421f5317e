//! What configurations may say to this executable.

use portway::config::Catalog;

/// All resources, and the built-in plugins.
pub(crate) fn catalog() -> Catalog {
    Catalog::new(portway::plugins::registry())
}
