//! How files and directories look, so that a change is noticed without reading them.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::folder::{Listing, list};

/// How something looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    /// Enough of a file's metadata to notice another content.
    File(u64, u64, u64, SystemTime),
    /// What a directory has that counts. Its time would tell of everything else too.
    Folder(u64),
    /// It is not there, or cannot be looked at.
    Nothing,
}

/// Which files and directories a reading depends on, and how they looked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stamps(BTreeMap<PathBuf, Stamp>);

impl Stamps {
    pub(super) fn of(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Self {
        let mut stamps = Self::default();
        paths.into_iter().for_each(|path| stamps.look(path.as_ref()));
        stamps
    }

    /// Looks at one more.
    pub(super) fn look(&mut self, path: &Path) {
        self.0.insert(path.to_owned(), stamp(path));
    }

    /// Adds a directory that was just listed.
    pub(super) fn listed(&mut self, folder: &Path, listing: &Listing) {
        self.0.insert(folder.to_owned(), of_listing(listing));
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The same files and directories as they are now.
    pub(super) fn now(&self) -> Self {
        Self::of(self.paths())
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }
}

fn stamp(path: &Path) -> Stamp {
    let Ok(metadata) = fs::metadata(path) else { return Stamp::Nothing };
    if metadata.is_dir() {
        return list(path).map_or(Stamp::Nothing, |listing| of_listing(&listing));
    }
    metadata.modified().map_or(Stamp::Nothing, |modified| {
        Stamp::File(metadata.dev(), metadata.ino(), metadata.len(), modified)
    })
}

fn of_listing(listing: &Listing) -> Stamp {
    let mut hasher = DefaultHasher::new();
    listing.hash(&mut hasher);
    Stamp::Folder(hasher.finish())
}
