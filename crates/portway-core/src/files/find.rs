//! Where a path leads. It runs on the pool for blocking work.

use std::{io, path::Path};

use portway_config::Files;

use super::{
    below::{Below, push_encoded},
    disk::{Found, Root, is_missing},
    listing::Listing,
};

/// What a path names.
#[derive(Debug)]
pub(super) enum Place {
    File(Root, Found),
    /// A folder whose path has no slash at its end.
    Folder,
    /// A folder that shows what is in it.
    Listing(Listing),
    Nothing,
}

/// Finds what `path` names: a path in its normal form, rewritten.
pub(super) fn find(spec: &Files, path: &str) -> io::Result<Place> {
    let root = match Root::open(&spec.root, spec.follow_symlinks) {
        Ok(root) => root,
        Err(error) if is_missing(&error) => return Ok(Place::Nothing),
        Err(error) => return Err(error),
    };
    let place = match Below::read(path, spec.hidden) {
        Some(below) => below_root(spec, root, &below)?,
        None => Err(root),
    };
    match (place, &spec.fallback) {
        (Ok(place), _) => Ok(place),
        (Err(root), Some(fallback)) => {
            let found = file(&root, fallback.as_str())?;
            Ok(found.map_or(Place::Nothing, |found| Place::File(root, found)))
        }
        (Err(_), None) => Ok(Place::Nothing),
    }
}

/// What is at this place, or the root back when there is nothing.
fn below_root(spec: &Files, root: Root, below: &Below) -> io::Result<Result<Place, Root>> {
    let path = root.path.join(&below.path);
    let Some(metadata) = there(root.metadata(&path))? else { return Ok(Err(root)) };
    if metadata.is_file() {
        if below.is_folder {
            return Ok(Err(root));
        }
        let found = Found { path, url_path: url_path(&below.path), metadata };
        return Ok(Ok(Place::File(root, found)));
    }
    if !below.is_folder {
        return Ok(Ok(Place::Folder));
    }
    for index in &spec.index {
        let name = match below.path.as_str() {
            "" => index.as_str().to_owned(),
            folder => format!("{folder}/{index}"),
        };
        if let Some(found) = file(&root, &name)? {
            return Ok(Ok(Place::File(root, found)));
        }
    }
    if spec.listing {
        return Ok(Ok(Place::Listing(Listing::read(&root, &path, spec.hidden)?)));
    }
    Ok(Err(root))
}

/// The file of this name below the root, if it is one.
fn file(root: &Root, name: &str) -> io::Result<Option<Found>> {
    let path = root.path.join(Path::new(name));
    let metadata = there(root.metadata(&path))?.filter(std::fs::Metadata::is_file);
    Ok(metadata.map(|metadata| Found { path, url_path: url_path(name), metadata }))
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
