//! One reading of the file and of what it refers to.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use portway_config::{Catalog, Loaded, Lookup, Problem, decode, load, value::Quoted};

/// What the file says at one moment.
#[derive(Debug)]
pub struct Reading {
    /// The text, as far as there is one. Reports of problems show its lines.
    pub text: String,
    /// What it says, or all that is wrong with it.
    pub content: Result<Loaded, Vec<Problem>>,
    pub(super) digest: Digest,
    pub(super) readable: bool,
}

/// A short stand-in for the file and the files it refers to, or for why it could not be read.
/// Means something within this process only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest([u64; 2]);

/// Reads the file at `path` once. References are expanded from the environment of the process
/// and from files, whose paths are relative to the folder of the first one.
#[must_use]
pub fn read(path: &Path, catalog: &Catalog) -> Reading {
    read_with_stamps(path, catalog).0
}

/// The same, with how the files looked before they were read.
pub(super) fn read_with_stamps(path: &Path, catalog: &Catalog) -> (Reading, Stamps) {
    let mut stamps = Stamps::of([path]);
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return (unreadable(path, &error), stamps),
    };
    let name = path.to_string_lossy();
    let surroundings = Surroundings::of(path);
    let content = match decode(&bytes, &name) {
        Ok(text) => load(text, &name, &surroundings, catalog),
        Err(problem) => Err(vec![problem]),
    };
    let digest = Digest::of((&bytes, &*surroundings.files.borrow()));
    stamps.0.extend(surroundings.stamps.into_inner().0);
    let text = String::from_utf8(bytes).unwrap_or_default();
    (Reading { text, content, digest, readable: true }, stamps)
}

fn unreadable(path: &Path, error: &io::Error) -> Reading {
    let message = format!("cannot read the file {}: {error}", Quoted(&path.to_string_lossy()));
    Reading {
        text: String::new(),
        content: Err(vec![Problem::new("unreadable_file", message)]),
        digest: Digest::of(error.to_string()),
        readable: false,
    }
}

impl Digest {
    /// Two hashes are enough against accident, and whoever writes the configuration needs no
    /// collision to do harm with it.
    fn of(value: impl Hash) -> Self {
        Self([1_u8, 2].map(|start| {
            let mut hasher = DefaultHasher::new();
            (start, &value).hash(&mut hasher);
            hasher.finish()
        }))
    }
}

/// Enough of a file's metadata to notice another content without reading it.
type Stamp = Option<(u64, u64, u64, SystemTime)>;

/// Which files a reading depends on, and how they looked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stamps(BTreeMap<PathBuf, Stamp>);

impl Stamps {
    pub(super) fn of(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Self {
        let stamps = paths.into_iter().map(|path| {
            let path = path.as_ref();
            (path.to_owned(), stamp(path))
        });
        Self(stamps.collect())
    }

    /// The same files as they are now.
    pub(super) fn now(&self) -> Self {
        Self::of(self.paths())
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.len(), metadata.modified().ok()?))
}

/// What a configuration may refer to. Remembers the files it was asked for.
struct Surroundings {
    folder: PathBuf,
    files: RefCell<BTreeMap<PathBuf, Result<String, String>>>,
    stamps: RefCell<Stamps>,
}

impl Surroundings {
    fn of(path: &Path) -> Self {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self { folder, files: RefCell::default(), stamps: RefCell::default() }
    }
}

impl Lookup for Surroundings {
    fn env(&self, name: &str) -> Option<String> {
        env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let path = self.folder.join(path);
        let mut files = self.files.borrow_mut();
        let content = files.entry(path).or_insert_with_key(|path| {
            self.stamps.borrow_mut().0.insert(path.clone(), stamp(path));
            fs::read_to_string(path).map_err(|error| error.to_string())
        });
        content.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use portway_config::Catalog;

    use super::read;

    #[test]
    fn the_digest_covers_what_is_referred_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portway.yaml");
        fs::write(&path, "routes: [{name: \"${file:name}\", target: {reply: {}}}]").unwrap();
        let missing = read(&path, &Catalog::default());
        assert_eq!(missing.content.unwrap_err()[0].code, "unreadable_file");
        fs::write(folder.path().join("name"), "one").unwrap();
        let one = read(&path, &Catalog::default());
        assert!(one.content.unwrap().files.contains("name"));
        assert_ne!(one.digest, missing.digest);
        assert_eq!(one.digest, read(&path, &Catalog::default()).digest);
        fs::write(folder.path().join("name"), "two").unwrap();
        assert_ne!(one.digest, read(&path, &Catalog::default()).digest);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_problem_that_says_why() {
        let reading = read("/nowhere/portway.yaml".as_ref(), &Catalog::default());
        let problems = reading.content.unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            "cannot read the file \"/nowhere/portway.yaml\": No such file or directory \
             (os error 2) (unreadable_file)"
        );
    }
}
