//! One reading of the file and of what it refers to.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    env,
    error::Error,
    fmt, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use portway_config::{Loaded, Lookup, Problem, decode, load};

/// The content of the file at one moment, loaded.
#[derive(Debug)]
pub struct Reading {
    /// What it says, or all that is wrong with it.
    pub loaded: Result<Loaded, Vec<Problem>>,
    /// Tells one content from another.
    pub digest: Digest,
}

/// A short stand-in for the file and the files it refers to. Means something within this process
/// only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u64; 2]);

/// Why the file could not be read.
#[derive(Clone, Debug)]
pub struct ReadError {
    path: PathBuf,
    cause: Arc<io::Error>,
}

/// Reads the file at `path` once. References are expanded from the environment of the process
/// and from files, whose paths are relative to the folder of the first one.
///
/// # Errors
/// The file cannot be read. What is wrong with its content is in the [`Reading`].
pub fn read(path: &Path) -> Result<Reading, ReadError> {
    read_with_stamps(path).0
}

/// The same, with how the files looked before they were read, also when they could not be.
pub(super) fn read_with_stamps(path: &Path) -> (Result<Reading, ReadError>, Stamps) {
    let mut stamps = Stamps::of([path]);
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(cause) => {
            return (Err(ReadError { path: path.to_owned(), cause: Arc::new(cause) }), stamps);
        }
    };
    let name = path.to_string_lossy();
    let surroundings = Surroundings::of(path);
    let loaded = match decode(&bytes, &name) {
        Ok(text) => load(text, &name, &surroundings),
        Err(problem) => Err(vec![problem]),
    };
    let digest = digest(&bytes, &surroundings.files.borrow());
    stamps.0.extend(surroundings.stamps.into_inner().0);
    (Ok(Reading { loaded, digest }), stamps)
}

impl ReadError {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the other one says the same, so that it need not be said again.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        self.path == other.path && self.cause.kind() == other.cause.kind()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}", self.path.display())
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
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

/// Two hashes are enough against accident, and whoever writes the configuration needs no
/// collision to do harm with it.
fn digest(bytes: &[u8], files: &BTreeMap<PathBuf, Result<String, String>>) -> Digest {
    Digest([1_u8, 2].map(|start| {
        let mut hasher = DefaultHasher::new();
        (start, bytes, files).hash(&mut hasher);
        hasher.finish()
    }))
}

#[cfg(test)]
mod tests {
    use std::{error::Error, fs};

    use super::read;

    #[test]
    fn the_digest_covers_what_is_referred_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portway.yaml");
        fs::write(&path, "routes: [{name: \"${file:name}\", target: {reply: {}}}]").unwrap();
        let missing = read(&path).unwrap();
        assert_eq!(missing.loaded.unwrap_err()[0].code, "unreadable_file");
        fs::write(folder.path().join("name"), "one").unwrap();
        let one = read(&path).unwrap();
        assert!(one.loaded.unwrap().files.contains("name"));
        assert_ne!(one.digest, missing.digest);
        assert_eq!(one.digest, read(&path).unwrap().digest);
        fs::write(folder.path().join("name"), "two").unwrap();
        assert_ne!(one.digest, read(&path).unwrap().digest);
    }

    #[test]
    fn an_error_names_the_file_and_its_cause_says_why() {
        let error = read("/nowhere/portway.yaml".as_ref()).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nowhere/portway.yaml");
        assert!(error.source().unwrap().to_string().contains("No such file"));
    }
}
