//! What many commands take: which gateway, which namespace, how the result looks.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::remote::connect::Hidden;

/// How the gateway is reached, and who asks.
#[expect(clippy::doc_markdown, reason = "it is read on terminals, not as Markdown")]
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The admin API [env: PORTWAY_ADMIN, DGATE_ADMIN_API] [default: http://127.0.0.1:9080]
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) admin: Option<String>,
    /// A profile of the file config.yaml [env: PORTWAY_PROFILE]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) profile: Option<String>,
    /// A file with a token [env: PORTWAY_TOKEN_FILE]
    #[arg(long, value_name = "FILE", global = true, conflicts_with_all = ["token", "auth"])]
    pub(crate) token_file: Option<PathBuf>,
    /// A token; other users of the machine can see it, so prefer [env: PORTWAY_TOKEN]
    #[arg(
        long,
        value_name = "TOKEN",
        global = true,
        conflicts_with = "auth",
        hide_short_help = true
    )]
    pub(crate) token: Option<Hidden>,
    /// A name; its password is asked for, or follows a colon [env: PORTWAY_AUTH, DGATE_ADMIN_AUTH]
    #[arg(short, long, value_name = "USER[:PASS]", global = true, hide_short_help = true)]
    pub(crate) auth: Option<Hidden>,
    /// Authorities to trust in place of the system's, in PEM
    #[arg(long, value_name = "FILE", global = true, hide_short_help = true)]
    pub(crate) cacert: Option<PathBuf>,
    /// The certificate to show, with its chain, in PEM
    #[arg(long, value_name = "FILE", global = true, requires = "key", hide_short_help = true)]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of that certificate, in PEM
    #[arg(long, value_name = "FILE", global = true, requires = "cert", hide_short_help = true)]
    pub(crate) key: Option<PathBuf>,
    /// Take any certificate: whoever is in between can read and change everything
    #[arg(long, global = true, conflicts_with = "cacert", hide_short_help = true)]
    pub(crate) insecure: bool,
    /// Go where the gateway redirects to [env: DGATE_FOLLOW_REDIRECTS]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) follow: bool,
    /// Tell each request and its answer's status
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) verbose: bool,
    /// How long an answer may take, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        global = true,
        default_value = "60",
        hide_short_help = true
    )]
    pub(crate) timeout: u64,
}

/// How a result looks.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Output {
    /// How the result looks
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "table")]
    pub(crate) form: Form,
}

/// How a result looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Table,
    /// JSON, as the admin API says it
    Json,
    /// The same as YAML
    Yaml,
}

/// Where resources are looked for.
#[derive(Args, Clone, Debug)]
pub(crate) struct Scope {
    /// The namespace [default: that of the profile, else `default`; lists: all]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
}

/// How a change is made.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Edit {
    /// Only say what would be changed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Why; it stands in the history
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// Also where documents lose their collection, or do not fit it any more
    #[arg(long)]
    pub(crate) force: bool,
}
