//! Secrets that documents refer to, whoever has them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use portway_config::{Origin, SecretId};
use tokio::sync::watch;

/// The secrets of every owner of resources. Sources that were given the vault read again when a
/// secret they refer to changes. Clones are the same vault.
///
/// A secret is found by its namespace and its name, never by its name alone.
#[derive(Clone, Default)]
pub struct Vault(Arc<Inner>);

#[derive(Default)]
struct Inner {
    held: RwLock<HashMap<Origin, BTreeMap<SecretId, String>>>,
    changed: watch::Sender<()>,
}

impl Vault {
    /// These are the secrets that `owner` has from now on. They count among the resources that
    /// are served: one that only the vault knows is missing there.
    pub fn set(&self, owner: &Origin, secrets: impl IntoIterator<Item = (SecretId, String)>) {
        let secrets: BTreeMap<_, _> = secrets.into_iter().collect();
        let before = {
            let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
            let now = secrets.clone();
            if now.is_empty() { held.remove(owner) } else { held.insert(owner.clone(), now) }
        };
        if before.unwrap_or_default() != secrets {
            self.0.changed.send_replace(());
        }
    }

    /// What another owner than `asker` has. The asker knows what it has itself, and forgets what
    /// it no longer has.
    pub(super) fn get(&self, id: &SecretId, asker: &Origin) -> Option<String> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        let mut others = held.iter().filter(|(owner, _)| *owner != asker);
        others.find_map(|(_, secrets)| secrets.get(id).cloned())
    }

    /// Hears of changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }
}

/// Without what is in it.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(namespace: &str, value: &str) -> (SecretId, String) {
        ((namespace.to_owned(), "key".to_owned()), value.to_owned())
    }

    #[test]
    fn a_secret_is_that_of_its_namespace_and_of_another_owner() {
        let (vault, store, code) = (Vault::default(), Origin::store(), Origin::code());
        vault.set(&store, [secret("a", "one"), secret("b", "two")]);
        let get = |namespace, asker| vault.get(&secret(namespace, "").0, asker);
        assert_eq!(get("a", &code).as_deref(), Some("one"));
        assert_eq!(get("b", &code).as_deref(), Some("two"));
        assert_eq!(get("c", &code), None);
        assert_eq!(get("a", &store), None);
        assert!(!format!("{vault:?}").contains("one"));
    }

    #[test]
    fn only_a_change_is_told() {
        let (vault, store) = (Vault::default(), Origin::store());
        let changes = vault.changes();
        vault.set(&store, []);
        assert!(!changes.has_changed().unwrap());
        for (secrets, told) in [(vec!["one"], true), (vec!["one"], false), (vec![], true)] {
            let mut changes = vault.changes();
            changes.mark_unchanged();
            vault.set(&store, secrets.iter().map(|value| secret("a", value)));
            assert_eq!(changes.has_changed().unwrap(), told, "{secrets:?}");
        }
    }
}
