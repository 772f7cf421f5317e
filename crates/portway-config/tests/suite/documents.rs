//! Finding documents and reading them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use portway_config::{Checked, Config, Loaded, Lookup, Problem, decode, load};

use crate::stamp::catalog;

/// What references find in every golden document.
pub(crate) struct Surroundings;

impl Lookup for Surroundings {
    fn env(&self, name: &str) -> Option<String> {
        let value = match name {
            "HOST" => "10.0.0.9",
            "PORT" => "8001",
            "TOKEN" => "t0ken of nobody",
            "EMPTY" => "",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn file(&self, path: &str) -> Result<String, String> {
        match path {
            "/run/secrets/key" => Ok("k3y%20of%20nobody\n".to_owned()),
            _ => Err("no such file or directory".to_owned()),
        }
    }
}

/// The folder with the golden documents.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The documents of one kind, in order.
pub(crate) fn documents(kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join(kind)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_none_or(|extension| extension != "expected"));
    paths.sort();
    assert!(!paths.is_empty(), "no documents in {kind}");
    paths
}

/// A document's name and text; text that is not UTF-8 only as far as it is shown.
pub(crate) fn read(path: &Path) -> (String, Vec<u8>) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    (name, fs::read(path).unwrap())
}

/// Loads and checks a document.
pub(crate) fn serve(bytes: &[u8], name: &str) -> Result<Checked<Config>, Vec<Problem>> {
    let text = decode(bytes, name).map_err(|problem| vec![problem])?;
    load(text, name, &Surroundings, &catalog()).and_then(Loaded::check)
}
