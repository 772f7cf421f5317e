//! One reading of the files and of what they refer to.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use portway_config::{
    Catalog, Config, Document, Loaded, Lookup, Origin, Problem, SecretId, Texts, decode,
    load_start, load_together, value::Quoted,
};

use super::{
    folder::{Found, find},
    stamps::Stamps,
    vault::Vault,
};

/// What the files say at one moment.
#[derive(Debug)]
pub struct Reading {
    /// The texts, as far as there are some. Reports of problems show their lines.
    pub texts: Texts,
    /// What they say together, or all that is wrong with them.
    pub content: Result<Loaded, Vec<Problem>>,
    pub(super) digest: Digest,
    pub(super) readable: bool,
}

/// What is read: files, and directories with all the documents in them.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) paths: Vec<PathBuf>,
    pub(super) catalog: Catalog,
    pub(super) vault: Vault,
    /// Who asks the vault.
    pub(super) origin: Origin,
}

/// What a reading depends on.
#[derive(Debug, Default)]
pub(super) struct Depends {
    /// The files and directories, and how they looked before they were read.
    pub(super) stamps: Stamps,
    /// The secrets that others were asked for, and what they had.
    pub(super) asked: BTreeMap<SecretId, Option<String>>,
}

/// A short stand-in for the files and what they refer to, or for why they could not be read.
/// Means something within this process only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest([u64; 2]);

/// Reads the file or the directory at `path` once. References are expanded from the environment of
/// the process and from files, whose paths are relative to the folder of the file they stand in.
#[must_use]
pub fn read(path: &Path, catalog: &Catalog) -> Reading {
    read_all(&[path.to_owned()], catalog)
}

/// The same for several, which say together what there is.
#[must_use]
pub fn read_all(paths: &[PathBuf], catalog: &Catalog) -> Reading {
    Wanted::new(paths.to_owned(), catalog, Vault::default()).read().0
}

/// What the files and directories at `paths` say that a process must know before it has secrets
/// of others: where its store is, how it logs, and the admin API.
///
/// # Errors
/// Everything that is wrong with that.
pub fn read_start(paths: &[PathBuf], catalog: &Catalog) -> Result<Config, Vec<Problem>> {
    let wanted = Wanted::new(paths.to_owned(), catalog, Vault::default());
    let outside = Outside::of(&wanted);
    outside.with_documents(&Contents::of(find(paths)), |documents| load_start(documents, catalog))
}

impl Wanted {
    pub(super) fn new(paths: Vec<PathBuf>, catalog: &Catalog, vault: Vault) -> Self {
        let names: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
        let origin = Origin::file(&names.join(":"));
        Self { paths, catalog: catalog.clone(), vault, origin }
    }

    /// Reads it once.
    pub(super) fn read(&self) -> (Reading, Depends) {
        let contents = Contents::of(find(&self.paths));
        let outside = Outside::of(self);
        let content = outside
            .with_documents(&contents, |documents| load_together(documents, &self.catalog))
            .map(|mut loaded| {
                loaded.warnings.extend(contents.empty.iter().map(|folder| without_files(folder)));
                loaded
            });
        let Contents { files, empty, mut stamps } = contents;
        let Outside { files: referred, stamps: more, asked, .. } = outside;
        stamps.extend(more.into_inner());
        let (referred, asked) = (referred.into_inner(), asked.into_inner());
        let digest = Digest::of((&files, &empty, &referred, &asked));
        let readable = files.iter().all(|(_, bytes)| bytes.is_ok());
        let texts = files.into_iter().filter_map(|(path, bytes)| {
            let text = String::from_utf8(bytes.ok()?).ok()?;
            Some((path.to_string_lossy().into_owned(), text))
        });
        let texts = texts.collect();
        (Reading { texts, content, digest, readable }, Depends { stamps, asked })
    }
}

/// What is in the files, or why that cannot be told.
struct Contents {
    files: Vec<(PathBuf, Result<Vec<u8>, String>)>,
    /// Directories without a file.
    empty: Vec<PathBuf>,
    stamps: Stamps,
}

impl Contents {
    fn of(found: Found) -> Self {
        let Found { files: paths, folders, empty, closed } = found;
        let mut stamps = Stamps::default();
        let unread = |what: &str, path: &Path, error: std::io::Error| {
            format!("cannot read the {what} {}: {error}", Quoted(&path.to_string_lossy()))
        };
        let mut files = Vec::with_capacity(paths.len() + closed.len());
        for path in paths {
            stamps.look(&path);
            let bytes = fs::read(&path).map_err(|error| unread("file", &path, error));
            files.push((path, bytes));
        }
        for (path, error) in closed {
            stamps.look(&path);
            let error = unread("directory", &path, error);
            files.push((path, Err(error)));
        }
        for (path, listing) in &folders {
            stamps.listed(path, listing);
        }
        Self { files, empty, stamps }
    }
}

fn without_files(folder: &Path) -> Problem {
    let folder = folder.to_string_lossy();
    let message = format!("the directory {} has no configuration file", Quoted(&folder));
    Problem::new("empty_directory", message)
        .hint("files whose names end in .yaml, .yml, .json or .toml are read")
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

/// What a configuration may refer to. Remembers what it was asked for.
struct Outside<'a> {
    wanted: &'a Wanted,
    files: RefCell<BTreeMap<PathBuf, Result<String, String>>>,
    stamps: RefCell<Stamps>,
    asked: RefCell<BTreeMap<SecretId, Option<String>>>,
}

impl<'a> Outside<'a> {
    fn of(wanted: &'a Wanted) -> Self {
        let (files, stamps, asked) = Default::default();
        Self { wanted, files, stamps, asked }
    }

    fn with_documents<T>(&self, contents: &Contents, load: impl FnOnce(&[Document<'_>]) -> T) -> T {
        let files: Vec<_> = contents
            .files
            .iter()
            .map(|(path, bytes)| {
                let folder = path.parent().unwrap_or(Path::new(""));
                (path.to_string_lossy(), bytes, Surroundings { folder, outside: self })
            })
            .collect();
        let documents = files.iter().map(|(name, bytes, lookup)| {
            let text = match bytes {
                Ok(bytes) => decode(bytes, name),
                Err(why) => Err(Problem::new("unreadable_file", why.clone())),
            };
            Document { file: name, text, lookup }
        });
        load(&documents.collect::<Vec<_>>())
    }
}

/// What one file may refer to.
struct Surroundings<'a> {
    folder: &'a Path,
    outside: &'a Outside<'a>,
}

impl Lookup for Surroundings<'_> {
    fn env(&self, name: &str) -> Option<String> {
        env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let path = self.folder.join(path);
        let mut files = self.outside.files.borrow_mut();
        let content = files.entry(path).or_insert_with_key(|path| {
            self.outside.stamps.borrow_mut().look(path);
            fs::read_to_string(path).map_err(|error| error.to_string())
        });
        content.clone()
    }

    fn secret(&self, namespace: &str, name: &str) -> Option<String> {
        let Wanted { vault, origin, .. } = self.outside.wanted;
        let id = (namespace.to_owned(), name.to_owned());
        let mut asked = self.outside.asked.borrow_mut();
        asked.entry(id).or_insert_with_key(|id| vault.get(id, origin)).clone()
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
