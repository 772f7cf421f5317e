//! What resources of the API may refer to: secrets of their namespace, and nothing of the machine.

use std::collections::HashMap;

use portway_config::{Lookup, Resource, Resources};

/// The secrets of some resources.
#[derive(Default)]
pub(crate) struct Secrets(HashMap<(String, String), String>);

impl Secrets {
    pub(crate) fn of(resources: &Resources) -> Self {
        let mut secrets = Self::default();
        resources.iter().for_each(|one| secrets.add(&one.resource));
        secrets
    }

    /// Adds what a resource says, when it is a secret.
    pub(crate) fn add(&mut self, resource: &Resource) {
        if let Resource::Secret(secret) = resource {
            let id = (secret.meta.namespace.to_string(), secret.meta.name.to_string());
            self.0.insert(id, secret.value.expose().to_owned());
        }
    }
}

impl Lookup for Secrets {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<String, String> {
        Err("files of the machine are out of reach from here; write the PEM text itself".into())
    }

    fn secret(&self, namespace: &str, name: &str) -> Option<String> {
        self.0.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    fn has_surroundings(&self) -> bool {
        false
    }
}
