//! Which files of a directory are configuration.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What of one directory counts, sorted by name.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Listing {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

/// What there is to read at some paths.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of the paths, those of a directory sorted.
    pub(super) files: Vec<PathBuf>,
    /// Every directory there is, with what it has.
    pub(super) folders: Vec<(PathBuf, Listing)>,
    /// The paths that are directories without a file.
    pub(super) empty: Vec<PathBuf>,
    /// Directories that cannot be read.
    pub(super) closed: Vec<(PathBuf, io::Error)>,
}

/// Lists a directory. What is hidden, and what is neither a document nor a directory, does not
/// count; where a symbolic link leads does.
pub(super) fn list(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if is_hidden(&path) {
            continue;
        }
        let mut kind = entry.file_type()?;
        if kind.is_symlink() {
            match fs::metadata(&path) {
                Ok(target) => kind = target.file_type(),
                // It is said when it is read that it leads nowhere.
                Err(_) if is_document(&path) => listing.files.push(path.clone()),
                Err(_) => continue,
            }
        }
        if kind.is_dir() {
            listing.folders.push(path);
        } else if kind.is_file() && is_document(&path) {
            listing.files.push(path);
        }
    }
    listing.files.sort_unstable();
    listing.folders.sort_unstable();
    Ok(listing)
}

/// Finds what there is to read. What is no directory is taken for a file, be it there or not.
pub(super) fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        if !path.is_dir() {
            found.files.push(path.clone());
            continue;
        }
        let (before, closed) = (found.files.len(), found.closed.len());
        found.descend(path, &mut Vec::new());
        found.files[before..].sort_unstable();
        if found.files.len() == before && found.closed.len() == closed {
            found.empty.push(path.clone());
        }
    }
    found
}

impl Found {
    /// `above` are the directories around this one: a link may lead back to them.
    fn descend(&mut self, folder: &Path, above: &mut Vec<(u64, u64)>) {
        let listed = fs::metadata(folder).and_then(|metadata| {
            let id = (metadata.dev(), metadata.ino());
            Ok((id, list(folder)?))
        });
        match listed {
            Ok((id, _)) if above.contains(&id) => {}
            Ok((id, listing)) => {
                above.push(id);
                listing.folders.iter().for_each(|folder| self.descend(folder, above));
                above.pop();
                self.files.extend(listing.files.iter().cloned());
                self.folders.push((folder.to_owned(), listing));
            }
            Err(error) => self.closed.push((folder.to_owned(), error)),
        }
    }
}

/// Whether an entry of a directory is left alone: Kubernetes keeps what it mounts behind such
/// names, editors their copies.
pub(super) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Whether a file of this name is read when it stands in a directory.
pub(super) fn is_document(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        ["yaml", "yml", "json", "toml"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let found = find(&[folder.to_owned()]);
        let below = |path: &PathBuf| path.strip_prefix(folder).unwrap().display().to_string();
        found.files.iter().map(below).collect()
    }

    #[test]
    fn documents_are_found_in_their_order_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for name in ["z.yaml", "b/c.json", "b/d/e.TOML", "a.yml", "b/.git/x.yaml"] {
            fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            fs::write(folder.join(name), "").unwrap();
        }
        for name in ["README.md", ".a.yaml.swp", "a.yaml~", ".hidden.yaml", "yaml"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(names(folder), ["a.yml", "b/c.json", "b/d/e.TOML", "z.yaml"]);
    }

    #[test]
    fn links_are_followed_but_not_in_circles() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::create_dir(folder.join("..2026")).unwrap();
        fs::write(folder.join("..2026/a.yaml"), "").unwrap();
        symlink("..2026", folder.join("..data")).unwrap();
        symlink("..data/a.yaml", folder.join("a.yaml")).unwrap();
        symlink("..data", folder.join("more")).unwrap();
        symlink(".", folder.join("..2026/self")).unwrap();
        symlink("nowhere", folder.join("lost.yaml")).unwrap();
        symlink("nowhere", folder.join("lost")).unwrap();
        assert_eq!(names(folder), ["a.yaml", "lost.yaml", "more/a.yaml"]);
    }

    #[test]
    fn what_is_no_directory_is_taken_for_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let found = find(&[missing.clone(), folder.path().to_owned()]);
        assert_eq!(found.files, [missing]);
        assert_eq!(found.empty, [folder.path()]);
    }
}
