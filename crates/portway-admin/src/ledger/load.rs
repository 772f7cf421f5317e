//! What was written before this process began.

use std::collections::BTreeMap;

use portway_config::{Catalog, Kind, Problem, ResourceId, Resources, resource};
use portway_store::{List, Store, seal::KeyRing};

use super::{Error, Stamp, State, form, keys, lookup::Secrets};

/// Reads all resources, and opens their secrets.
pub(super) async fn load(
    store: &dyn Store,
    ring: &KeyRing,
    catalog: &Catalog,
) -> Result<State, Error> {
    let revision = match store.get(&keys::revision()).await? {
        None => 0,
        Some(entry) => number(&entry.value)?,
    };
    let (mut lost, mut read) = (Vec::new(), Vec::new());
    for entry in store.list(List::of(&keys::resources())).await?.entries {
        let (id, mut kept) = form::read(&entry)?;
        if let Err(names) = form::open(catalog, ring, &id, &mut kept.spec) {
            lost.extend(names);
        }
        read.push((id, kept));
    }
    if !lost.is_empty() {
        return Err(Error::Lost(lost));
    }
    // Secrets first: the others may refer to them.
    read.sort_by_key(|(id, _)| id.kind != Kind::Secret);
    let (mut resources, mut stamps) = (Resources::default(), BTreeMap::<ResourceId, Stamp>::new());
    let (mut secrets, mut problems) = (Secrets::default(), Vec::new());
    for (id, kept) in read {
        match resource(&kept.spec.to_string(), "store.json", &id, &secrets, catalog) {
            Ok(written) => {
                secrets.add(&written.resource);
                resources.insert(written);
                stamps.insert(id, kept.stamp());
            }
            Err(more) => problems.extend(more.into_iter().map(|problem| within(&id, problem))),
        }
    }
    if !problems.is_empty() {
        return Err(Error::Wrong(problems));
    }
    Ok(State { revision, resources: resources.into(), stamps: stamps.into(), restored: 0 })
}

pub(super) fn number(value: &[u8]) -> Result<u64, Error> {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| Error::Unreadable("the revision is no number".into()))
}

/// A problem in a resource, as one of the configuration.
pub(super) fn within(id: &ResourceId, problem: Problem) -> Problem {
    let path = match problem.path.as_str() {
        "" => id.to_string(),
        path => format!("{id}.{path}"),
    };
    Problem { place: None, ..problem.at(path) }
}
