//! The noun before the verb: `portway route create name=shop paths=/shop`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Connection, Edit, Output, Scope, change::Guard, look::Filter};

const NOUN: &str = "\
Keys and values are written as for `portway put`; the names that DGate has for them are understood.

Examples:
  portway service create name=shop urls=http://127.0.0.1:8001,http://127.0.0.1:8002
  portway route create name=shop paths=/shop,/s/* methods=GET service=shop stripPath=true
  portway rt ls
  portway rt rm shop";

/// What is done to resources of one kind.
#[derive(Args, Debug)]
#[command(after_help = NOUN, arg_required_else_help = true)]
pub(crate) struct Noun {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make one, or put another in its place
    #[command(visible_aliases = ["mk", "put"])]
    Create(Create),
    /// Delete some
    #[command(visible_alias = "rm")]
    Delete(Remove),
    /// List them
    #[command(visible_alias = "ls")]
    List(Listed),
    /// Show one
    Get(One),
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// What it is: KEY=VALUE, KEY:=JSON, KEY@=FILE; a word alone is its name
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
}

#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// Their names, or name=NAME and namespace=NAME
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Listed {
    /// namespace=NAME
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) pairs: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct One {
    /// Its name, or name=NAME and namespace=NAME
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) output: Output,
}

const DOCUMENT: &str = "\
Examples:
  portway document put 42 --collection carts -f cart.json
  portway document create id=42 collection=carts data:='{\"items\": []}'
  portway document get 42 --collection carts
  portway document list --collection carts -n shop
  portway document delete --all --collection carts";

/// What is done to documents.
#[derive(Args, Debug)]
#[command(after_help = DOCUMENT, arg_required_else_help = true)]
pub(crate) struct Document {
    #[command(subcommand)]
    pub(crate) verb: DocumentVerb,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum DocumentVerb {
    /// Make one, or put another in its place
    #[command(visible_aliases = ["create", "mk"])]
    Put(DocumentPut),
    /// Show one
    Get(DocumentOne),
    /// List those of a collection
    #[command(visible_alias = "ls")]
    List(DocumentList),
    /// Delete one, or all of a collection
    #[command(visible_alias = "rm")]
    Delete(DocumentDelete),
}

/// The collection that is meant.
#[derive(Args, Clone, Debug)]
pub(crate) struct Collection {
    /// The collection
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    #[command(flatten)]
    pub(crate) scope: Scope,
}

#[derive(Args, Debug)]
pub(crate) struct DocumentPut {
    /// Its id; or id=ID, collection=NAME, data=TEXT, data:=JSON, data@=FILE
    #[arg(value_name = "ID")]
    pub(crate) pairs: Vec<String>,
    /// What it says, in a file: JSON, YAML or TOML; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) guard: Guard,
    #[command(flatten)]
    pub(crate) collection: Collection,
    /// Only say what would be changed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct DocumentOne {
    /// Its id; or id=ID, collection=NAME
    #[arg(value_name = "ID", required = true)]
    pub(crate) pairs: Vec<String>,
    #[command(flatten)]
    pub(crate) collection: Collection,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct DocumentList {
    /// collection=NAME, namespace=NAME
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) pairs: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    #[command(flatten)]
    pub(crate) collection: Collection,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct DocumentDelete {
    /// Its id; or id=ID, collection=NAME
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) pairs: Vec<String>,
    /// All documents of the collection
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) collection: Collection,
    /// Only say what would be changed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}
