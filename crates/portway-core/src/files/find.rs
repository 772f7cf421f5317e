//! Where a path leads. It runs on the pool for blocking work.

use std::{fs::Metadata, io, sync::Arc};

use portway_config::Files;

use super::{
    below::{Below, push_encoded},
    disk::{Disk, Found, Root, is_missing},
    listing::Listing,
};

/// What a path names.
#[derive(Debug)]
pub(super) enum Place {
    File(Disk),
    /// A folder whose path has no slash at its end.
    Folder,
    /// A folder that shows what is in it.
    Listing(Listing),
    Nothing,
}

/// Finds what `path` names: a path in its normal form, rewritten.
pub(super) fn find(spec: &Files, path: &str) -> io::Result<Place> {
    let Some(root) = there(Root::open(&spec.root, spec.follow_symlinks))? else {
        return Ok(Place::Nothing);
    };
    let root = Arc::new(root);
    let place = match Below::read(path, spec.hidden) {
        Some(below) => below_root(spec, &root, &below)?,
        None => Place::Nothing,
    };
    match (place, &spec.fallback) {
        (Place::Nothing, Some(fallback)) => {
            Ok(file(&root, fallback.as_str())?.unwrap_or(Place::Nothing))
        }
        (place, _) => Ok(place),
    }
}

fn below_root(spec: &Files, root: &Arc<Root>, below: &Below) -> io::Result<Place> {
    let path = root.path.join(&below.path);
    let Some(metadata) = there(root.metadata(&path))? else { return Ok(Place::Nothing) };
    if metadata.is_file() {
        if below.is_folder {
            return Ok(Place::Nothing);
        }
        let found = Found { path, url_path: url_path(&below.path), metadata };
        return Ok(Place::File(Disk::new(root, found)));
    }
    if !below.is_folder {
        return Ok(Place::Folder);
    }
    for index in &spec.index {
        let name = match below.path.as_str() {
            "" => index.as_str().to_owned(),
            folder => format!("{folder}/{index}"),
        };
        if let Some(place) = file(root, &name)? {
            return Ok(place);
        }
    }
    if spec.listing {
        return Ok(Place::Listing(Listing::read(root, &path, spec.hidden)?));
    }
    Ok(Place::Nothing)
}

/// The file of this name below the root, if it is one.
fn file(root: &Arc<Root>, name: &str) -> io::Result<Option<Place>> {
    let path = root.path.join(name);
    let metadata = there(root.metadata(&path))?.filter(Metadata::is_file);
    Ok(metadata.map(|metadata| {
        Place::File(Disk::new(root, Found { path, url_path: url_path(name), metadata }))
    }))
}

fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn url_path(name: &str) -> String {
    let mut path = String::with_capacity(name.len() + 1);
    path.push('/');
    push_encoded(name, &mut path);
    path
}
