//! What was written before this process began.

use std::sync::Arc;

use portway_config::{Catalog, Kind, Problem, ResourceId, resource};
use portway_store::{List, Store, seal::KeyRing};

use super::{Error, State, form, keys, lookup::Secrets};

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
    let entries = store.list(List::of(&keys::resources())).await?.entries;
    let ids = entries.iter().map(form::id).collect::<Result<Vec<_>, _>>()?;
    // Secrets first: the others may refer to them. One entry after the other: as trees of values,
    // ten thousand take more room than all that is made of them.
    let (first, rest): (Vec<_>, Vec<_>) =
        entries.into_iter().zip(ids).partition(|(_, id)| id.kind == Kind::Secret);
    let (mut resources, mut stamps) = (Vec::new(), Vec::new());
    let (mut secrets, mut lost, mut problems) = (Secrets::default(), Vec::new(), Vec::new());
    for (entry, id) in first.into_iter().chain(rest) {
        let mut kept = form::kept(&entry, &id)?;
        if let Err(names) = form::open(catalog, ring, &id, &mut kept.spec) {
            lost.extend(names);
            continue;
        }
        match resource(&kept.spec.to_string(), "store.json", &id, &secrets, catalog) {
            Ok(written) => {
                secrets.add(&written.resource);
                stamps.push((written.id.clone(), kept.stamp()));
                resources.push(written);
            }
            Err(more) => problems.extend(more.into_iter().map(|problem| within(&id, problem))),
        }
    }
    if !lost.is_empty() {
        return Err(Error::Lost(lost));
    }
    if !problems.is_empty() {
        return Err(Error::Wrong(problems));
    }
    let resources = Arc::new(resources.into_iter().collect());
    let stamps = Arc::new(stamps.into_iter().collect());
    Ok(State { revision, resources, stamps, restored: 0 })
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
