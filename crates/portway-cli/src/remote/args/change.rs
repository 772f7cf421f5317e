//! Commands that change resources.

use std::path::PathBuf;

use clap::Args;

use super::{Connection, Edit, Output, Scope};

const PUT: &str = "\
What the resource is comes from a file, from KEY=VALUE, or both; the latter win.
  key=text     the value as its schema wants it: lists split at commas, numbers, true, 30s
  key:=json    the value as JSON
  key@=file    the text of a file, `-` is standard input; in base64 where the schema wants that
  a.b=text     a key of a map

Examples:
  portway put service accounts url=http://127.0.0.1:8001 timeouts.connect=2s
  portway put route shop match.path=/cart/{id} match.methods=GET,POST target.service=shop
  portway put route shop -f shop.yaml -m 'carts have numbers'
  portway get route shop -o yaml | sed s/v1/v2/ | portway put route shop -f -";

#[derive(Args, Debug)]
#[command(after_help = PUT)]
pub(crate) struct Put {
    /// The kind of resource
    pub(crate) kind: String,
    /// Its name
    pub(crate) name: String,
    /// What it is
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) pairs: Vec<String>,
    /// What it is, in a file: YAML, JSON or TOML; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) guard: Guard,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What must hold for the change to be made.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Guard {
    /// Only if its revision is still this one; `*` for any
    #[arg(long, value_name = "REVISION")]
    pub(crate) if_match: Option<String>,
    /// Only if it is not there yet
    #[arg(long = "new", conflicts_with = "if_match")]
    pub(crate) is_new: bool,
}

const PATCH: &str = "\
Keys that are not named stay as they are; `key:=null` takes one away. Keys and values are written
as for `portway put`.

Examples:
  portway patch service accounts timeouts.connect=2s
  portway patch route shop enabled=false
  portway patch route shop description:=null";

#[derive(Args, Debug)]
#[command(after_help = PATCH)]
pub(crate) struct Patch {
    /// The kind of resource
    pub(crate) kind: String,
    /// Its name
    pub(crate) name: String,
    /// What changes
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) pairs: Vec<String>,
    /// What changes, in a file: YAML, JSON or TOML; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only if its revision is still this one; `*` for any
    #[arg(long, value_name = "REVISION")]
    pub(crate) if_match: Option<String>,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const DELETE: &str = "\
What others refer to is not deleted. Of several, those before the first refusal are gone.

Examples:
  portway delete route shop
  portway delete routes shop cart --dry-run";

#[derive(Args, Debug)]
#[command(after_help = DELETE)]
pub(crate) struct Delete {
    /// The kind of resource
    pub(crate) kind: String,
    /// Their names
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Only if its revision is still this one; `*` for any
    #[arg(long, value_name = "REVISION")]
    pub(crate) if_match: Option<String>,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Files with resources.
#[derive(Args, Clone, Debug)]
pub(crate) struct Files {
    /// A file, a folder of files, or `-`; may be given several times
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

const APPLY: &str = "\
The files together are one change: all of it is made, or nothing. They are configurations in YAML,
JSON or TOML; of a folder, all of them are read, in the order of their names.

Examples:
  portway apply -f gateway.yaml
  portway apply -f services/ -f routes/ -m 'version 2 of the shop'
  helm template . | portway apply -f - --dry-run";

#[derive(Args, Debug)]
#[command(after_help = APPLY)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const DIFF: &str = "\
The exit code is 0 when there is no difference and 2 when there is one.

Examples:
  portway diff -f gateway.yaml
  portway diff -f services/ --selector team=shop    as `sync` would do
  portway diff --from 12 --to 15                    between two changes";

#[derive(Args, Debug)]
#[command(after_help = DIFF)]
pub(crate) struct Diff {
    /// A file, a folder of files, or `-`; may be given several times
    #[arg(short, long = "file", value_name = "FILE", required_unless_present = "from")]
    pub(crate) files: Vec<PathBuf>,
    /// Also what would be deleted: what has these labels and is not in the files
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "from")]
    pub(crate) selector: Option<String>,
    /// Also what would be deleted in namespaces that neither the files nor `-n` name
    #[arg(long, requires = "selector")]
    pub(crate) all_namespaces: bool,
    /// Compare with this change in place of files
    #[arg(long, value_name = "REVISION", conflicts_with = "files")]
    pub(crate) from: Option<u64>,
    /// Up to this change [default: the newest]
    #[arg(long, value_name = "REVISION", requires = "from")]
    pub(crate) to: Option<u64>,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const SYNC: &str = "\
What is in the files is made and changed; what has the labels and is not in the files is deleted.
Resources that lack the labels are never deleted, and neither is what others own. What is in other
namespaces than that of -n and those the files name is deleted with --all-namespaces only.

Examples:
  portway sync -f shop/ --selector team=shop --dry-run
  portway sync -f shop/ --selector team=shop,stage=prod";

#[derive(Args, Debug)]
#[command(after_help = SYNC)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) files: Files,
    /// The labels of what may be deleted
    #[arg(short, long, value_name = "KEY=VALUE", required = true, value_parser = selector)]
    pub(crate) selector: String,
    /// Also delete in namespaces that neither the files nor `-n` name, and namespaces themselves
    #[arg(long)]
    pub(crate) all_namespaces: bool,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// An empty selector would select everything.
fn selector(text: &str) -> Result<String, String> {
    let is_one = |one: &str| one.split_once('=').is_some_and(|(key, _)| !key.trim().is_empty());
    if text.split(',').all(is_one) {
        return Ok(text.to_owned());
    }
    Err("write labels, as in team=shop or team=shop,stage=prod".to_owned())
}

const ROLLBACK: &str = "\
The resources become what they were right after that change. That is a new change, which can be
rolled back as well.

Examples:
  portway rollback 12 --dry-run
  portway rollback 12 -m 'carts were slow'";

#[derive(Args, Debug)]
#[command(after_help = ROLLBACK)]
pub(crate) struct Rollback {
    /// The number of a change, from `portway history`
    pub(crate) revision: u64,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
