//! Files of the gateway's own: a folder as the target of a route.

use std::path::PathBuf;

use portway_plugin::value::{FieldValue, FilePath};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Files below a folder. The path, as the route's `rewrite` leaves it, names the file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Files {
    /// The folder: absolute, or relative to where the process was started.
    pub root: PathBuf,
    /// What is sent for a folder: the first of these files that is there.
    #[serde(default = "index_html")]
    pub index: Vec<FilePath>,
    /// What is sent, with the status 200, for a path that names no file: the page of a
    /// single-page application. Without it, the answer is 404.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<FilePath>,
    /// Whether a folder without an index shows what is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listing: bool,
    /// Whether names that begin with a dot are served and shown. `/.well-known` always is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Whether symbolic links may lead out of the folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow_symlinks: bool,
    /// The encodings in which a compressed copy may lie beside a file: `app.js.gz`, `app.js.br`,
    /// `app.js.zst`. Default none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precompressed: Vec<Encoding>,
    /// `Cache-Control` of the files. Without it, none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<FieldValue>,
}

/// A coding of content (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// gzip, in files that end with `.gz`.
    Gzip,
    /// Brotli, in files that end with `.br`.
    Br,
    /// Zstandard, in files that end with `.zst`.
    Zstd,
}

impl Files {
    /// Those below `root`, with every default.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            index: index_html(),
            fallback: None,
            listing: false,
            hidden: false,
            follow_symlinks: false,
            precompressed: Vec::new(),
            cache_control: None,
        }
    }
}

fn index_html() -> Vec<FilePath> {
    vec!["index.html".parse().expect("`index.html` is a file below a root")]
}
