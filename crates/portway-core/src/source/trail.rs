//! Which directory entries decide what a path leads to.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    ffi::OsString,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// As many symbolic links as Linux follows (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// Every symbolic link on the way to the file, and the file, as paths without symbolic links in
/// their directories. When one of these entries changes, so may what is read from `path`. Where
/// something is missing the trail goes on as if it were there.
///
/// For a file that Kubernetes mounted, `app/portway.yaml`, that is `app/portway.yaml` itself (a
/// link to `..data/portway.yaml`), `app/..data` (a link that is swapped), and
/// `app/..2026_07_01/portway.yaml`.
pub(super) fn trail(path: &Path) -> io::Result<Vec<PathBuf>> {
    let path = std::path::absolute(path)?;
    let mut steps = VecDeque::new();
    push_front(&mut steps, &path);
    let mut trail = Vec::new();
    let mut at = PathBuf::new();
    while let Some(step) = steps.pop_front() {
        match step {
            Step::Root => at = PathBuf::from("/"),
            Step::Up => {
                at.pop();
            }
            Step::Down(name) => {
                let next = at.join(name);
                match fs::read_link(&next) {
                    Ok(target) if trail.len() < MAX_LINKS => {
                        trail.push(next);
                        push_front(&mut steps, &target);
                    }
                    Ok(_) => return Err(io::Error::other("too many symbolic links")),
                    // Not a link, or not there.
                    Err(_) => at = next,
                }
            }
        }
    }
    trail.push(at);
    Ok(trail)
}

/// The trails of several. A directory that many of them are in is followed once.
pub(super) fn trails(paths: &[&Path]) -> HashSet<PathBuf> {
    let (mut entries, mut folders) = (HashSet::new(), HashMap::new());
    for path in paths.iter().copied() {
        let Some(resolved) = in_folder(path, &mut entries, &mut folders) else {
            // A circle of links leads nowhere; the entry itself can still be replaced.
            entries.extend(trail(path).unwrap_or_else(|_| vec![path.to_owned()]));
            continue;
        };
        entries.insert(resolved);
    }
    entries
}

/// The entry of a path that is no link itself, by way of its directory.
fn in_folder(
    path: &Path,
    entries: &mut HashSet<PathBuf>,
    folders: &mut HashMap<PathBuf, Option<PathBuf>>,
) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let (Some(folder), Some(Component::Normal(name))) =
        (path.parent(), path.components().next_back())
    else {
        return None;
    };
    if !folders.contains_key(folder) {
        let mut links = trail(folder).unwrap_or_default();
        let resolved = links.pop();
        entries.extend(links);
        folders.insert(folder.to_owned(), resolved);
    }
    let entry = folders.get(folder)?.as_ref()?.join(name);
    fs::read_link(&entry).is_err().then_some(entry)
}

/// Where a directory is, without symbolic links on the way.
pub(super) fn resolved(folder: &Path) -> Option<PathBuf> {
    trail(folder).ok()?.pop()
}

enum Step {
    Root,
    Up,
    Down(OsString),
}

fn push_front(steps: &mut VecDeque<Step>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::RootDir => steps.push_front(Step::Root),
            Component::ParentDir => steps.push_front(Step::Up),
            Component::Normal(name) => steps.push_front(Step::Down(name.to_owned())),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::PathBuf};

    use super::{trail, trails};

    /// A folder without symbolic links on the way to it.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    #[test]
    fn a_plain_file_is_its_own_trail() {
        let (_keep, folder) = folder();
        let file = folder.join("a.yaml");
        assert_eq!(trail(&file).unwrap(), std::slice::from_ref(&file));
        fs::write(&file, "x").unwrap();
        assert_eq!(trail(&folder.join("b/../a.yaml")).unwrap(), [file]);
    }

    #[test]
    fn every_link_on_the_way_counts() {
        let (_keep, folder) = folder();
        fs::create_dir(folder.join("..2026")).unwrap();
        fs::write(folder.join("..2026/a.yaml"), "x").unwrap();
        symlink("..2026", folder.join("..data")).unwrap();
        symlink("..data/a.yaml", folder.join("a.yaml")).unwrap();
        symlink(&folder, folder.join("self")).unwrap();
        let expected = ["self", "a.yaml", "..data", "..2026/a.yaml"].map(|name| folder.join(name));
        let path = folder.join("self/a.yaml");
        assert_eq!(trail(&path).unwrap(), expected);
        assert_eq!(trails(&[&*path]), expected.into());
        let plain = folder.join("self/..data/a.yaml");
        let expected = ["self", "..data", "..2026/a.yaml"].map(|name| folder.join(name));
        assert_eq!(trails(&[&*plain]), expected.into());
    }

    #[test]
    fn a_circle_of_links_ends() {
        let (_keep, folder) = folder();
        symlink("b", folder.join("a")).unwrap();
        symlink("a", folder.join("b")).unwrap();
        assert!(trail(&folder.join("a")).is_err());
    }
}
