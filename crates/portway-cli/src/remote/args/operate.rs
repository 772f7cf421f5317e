//! Commands for those who run the gateway.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Connection, Output};
use crate::remote::connect::Hidden;

const TOKEN: &str = "\
Examples:
  portway token create ci --role editor --namespace shop --expires 30d > ci.token
  portway --token-file ci.token list routes -n shop
  portway token list
  portway token delete ci";

/// What is done to tokens.
#[derive(Args, Debug)]
#[command(after_help = TOKEN, arg_required_else_help = true)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) verb: TokenVerb,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Make one; it is printed this once
    #[command(visible_alias = "mk")]
    Create(TokenCreate),
    /// List them, without what is secret
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Make some good for nothing, at once
    #[command(visible_alias = "rm")]
    Delete {
        /// Their names
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
    /// Make one that lets a request ask how it was served
    Debug(TokenDebug),
}

#[derive(Args, Debug)]
pub(crate) struct TokenCreate {
    /// What it is called
    pub(crate) name: String,
    /// What it may do
    #[arg(long, value_name = "ROLE", default_value = "viewer")]
    pub(crate) role: Role,
    /// Only in these namespaces
    #[arg(short, long = "namespace", value_name = "NAME", value_delimiter = ',')]
    pub(crate) namespaces: Vec<String>,
    /// Only to these kinds of resources
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// Only this: get, list, put, patch, delete
    #[arg(long = "verb", value_name = "VERB", value_delimiter = ',')]
    pub(crate) verbs: Vec<String>,
    /// How long it is good for: 30d, 12h, or a time such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Look
    Viewer,
    /// Look and change
    Editor,
    /// Everything
    Admin,
}

#[derive(Args, Debug)]
pub(crate) struct TokenDebug {
    /// How long it is good for
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub(crate) expires: String,
    /// Only for this route
    #[arg(long, value_name = "NAME")]
    pub(crate) route: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

const BACKUP: &str = "\
The key that secrets are sealed with is not in the file: keep it elsewhere.

Examples:
  portway backup gateway.backup
  portway backup - | gzip > gateway.backup.gz";

#[derive(Args, Debug)]
#[command(after_help = BACKUP)]
pub(crate) struct Backup {
    /// Where to; `-` is standard output
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const RESTORE: &str = "\
Everything the store holds is replaced. A terminal is asked first; elsewhere say --yes.

Examples:
  portway restore gateway.backup --dry-run
  portway restore gateway.backup --yes";

#[derive(Args, Debug)]
#[command(after_help = RESTORE)]
pub(crate) struct Restore {
    /// Where from; `-` is standard input
    pub(crate) file: PathBuf,
    /// Only say what would be changed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Also where documents lose their collection, or do not fit it
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const ROTATE: &str = "\
A new key is made, everything is sealed with it, and the old keys leave the key file. Backups that
were made before still need the old keys: keep a copy of the file as it was.

Examples:
  portway rotate-key";

#[derive(Args, Debug)]
#[command(after_help = ROTATE)]
pub(crate) struct RotateKey {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const PROFILE: &str = "\
Profiles stand in $XDG_CONFIG_HOME/portway/config.yaml, else in ~/.config/portway/config.yaml:
  current: prod
  profiles:
    prod: {admin: https://gateway.example.com:9080, token: pwt_…, namespace: shop}

Examples:
  portway profile set prod admin=https://gateway.example.com:9080 cacert=/etc/ca.pem
  portway profile set prod token@=ci.token
  portway profile use prod
  portway profile list";

/// Gateways by name.
#[derive(Args, Debug)]
#[command(after_help = PROFILE, arg_required_else_help = true)]
pub(crate) struct Profile {
    #[command(subcommand)]
    pub(crate) verb: ProfileVerb,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileVerb {
    /// List the profiles, without what is secret
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Make a profile the one that is used without --profile
    Use {
        /// Its name
        name: String,
    },
    /// Make a profile, or change some of its keys
    Set {
        /// Its name
        name: String,
        /// admin, token, auth, cacert, cert, key, insecure, namespace; KEY= takes one away
        #[arg(value_name = "KEY=VALUE", required = true)]
        pairs: Vec<Hidden>,
    },
    /// Forget profiles
    #[command(visible_alias = "rm")]
    Delete {
        /// Their names
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
}
