//! The command line: what may be typed, and what its help says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::remote::args as remote;

const EXAMPLE: &str = "\
A first gateway, in a file gateway.yaml:
  listeners: [{name: web, bind: \"0.0.0.0:8080\"}]
  probes: {bind: \"127.0.0.1:9000\"}
  services:
    - name: accounts
      url: http://127.0.0.1:8001
      routes:
        - {name: get-account, match: {methods: [GET], path: \"/account/{id}\"}}
        - {name: new-account, match: {methods: [POST], path: /account}}

Try it:
  portway check gateway.yaml     what is wrong with it, all at once
  portway echo 127.0.0.1:8001    something to forward to
  portway run gateway.yaml       the gateway; it follows the file
  curl http://127.0.0.1:8080/account/42

Ask a running gateway, by its admin API (--admin, PORTWAY_ADMIN or a profile says where):
  portway status
  portway list routes
  portway apply -f gateway.yaml --dry-run
  portway route create name=shop paths=/shop/* service=accounts
The noun may stand first: namespace (ns), service (svc), route (rt), domain (dom), collection (col),
document (doc), secret (sec), module (mod), listener, consumer, certificate (cert), plugin; then
create (mk), delete (rm), list (ls) or get.

Exit codes:
  0  done; ready; no difference
  1  refused, failed, not ready, or there are problems
  2  the command line is wrong; or `diff` found differences
  3  the gateway cannot be reached
  4  the gateway does not know who asks, or does not let them";

/// An API gateway: one YAML file in, traffic out.
#[derive(Debug, Parser)]
#[command(name = "portway", version, after_help = EXAMPLE, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve what a configuration file says, and follow its changes
    Run(Run),
    /// Say all that is wrong with configuration files
    Check(Check),
    /// List what would be served, in the order in which it is tried
    Routes(Routes),
    /// List the plugins there are, or tell what may be said about one
    Plugins(Plugins),
    /// Hash a password or a key, for a consumer
    Hash(Hash),
    /// Print the JSON Schema of the configuration, for editors
    Schema(Schema),
    /// Print the reference of all metrics, as Markdown; for the documentation
    #[command(hide = true)]
    Metrics,
    /// Be an upstream that answers with what it was asked
    Echo(Echo),
    /// Say which build this is
    Version(Version),
    /// Print completions for a shell
    Completions(Completions),
    /// Write pages for `man`
    Man(Man),
    #[command(flatten)]
    Remote(Box<remote::Command>),
}

const RUN: &str = "\
Several files say together what is served, and so do all files of a directory that end in .yaml,
.yml, .json or .toml. Without FILE, those are read that the environment variable PORTWAY_CONFIG
names, with colons between them; else ./portway.yaml, else /etc/portway/portway.yaml, else the file
that RESTGATE_CONFIG_PATH names. A configuration file of RESTGate is served as it is;
`portway -config FILE` means `portway run FILE`.

A change of a file is served as soon as it is written; SIGHUP reads all of them again. While
anything is wrong with them nothing changes, and the log says why. SIGTERM and SIGINT finish what is
in flight, then stop; a second one stops at once.

Examples:
  portway run gateway.yaml
  portway run /etc/portway/conf.d
  portway run listeners.yaml --config teams/
  PORTWAY_CONFIG=/etc/portway/gateway.yaml portway run
  portway run gateway.yaml --cores 2";

#[derive(Debug, Args)]
#[command(after_help = RUN)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Threads that serve requests [default: one for each CPU the process may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) cores: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    // No doc comment: there the name would need marks, which help would show.
    #[arg(long, help = "Print the OpenAPI document of the admin API instead")]
    pub(crate) openapi: bool,
}

/// The configuration.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Files of the configuration, YAML, JSON or TOML, or directories of such files
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The same as FILE; may be said several times
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
}

const CHECK: &str = "\
Each file is looked at by itself, and each directory as the sum of its files. With --together, all
of them are looked at as their sum, which is what `portway run` with the same files would serve.

The exit code is 0 when all could be served, else 1. Nothing is opened and no name is resolved.
Without FILE, the files are those that `portway run` would serve.

Examples:
  portway check gateway.yaml
  portway check --together listeners.yaml teams/
  portway check --output json gateway.yaml | jq '.files[].problems[].message'
  helm template . | portway check /dev/stdin";

#[derive(Debug, Args)]
#[command(after_help = CHECK)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Look at what all of them say together
    #[arg(long)]
    pub(crate) together: bool,
    /// How the result looks
    #[arg(short, long, value_name = "FORM", default_value = "human")]
    pub(crate) output: Report,
}

/// How a result looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    /// Text for people
    Human,
    /// One JSON object
    Json,
}

const ROUTES: &str = "\
The first row that takes a request serves it. A route stands there once for each of its matches
and hosts. Several files are looked at together. Without FILE, the files are those that
`portway run` would serve. The JSON form says whose each route is.

Examples:
  portway routes gateway.yaml
  portway routes --plugins gateway.yaml    the plugins around each route
  portway routes --output json gateway.yaml | jq -r '.routes[].route'";

#[derive(Debug, Args)]
#[command(after_help = ROUTES)]
pub(crate) struct Routes {
    #[command(flatten)]
    pub(crate) files: Files,
    /// List the plugins around each route instead, the outermost first
    #[arg(long)]
    pub(crate) plugins: bool,
    /// How the list looks
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub(crate) output: Listing,
}

const HASH: &str = "\
The secret is the first line of standard input; a terminal asks for it and does not show it.

Examples:
  portway hash                        a password, as argon2 for `passwords`
  portway hash --key < key.txt        a key, as sha256 for `keys`";

#[derive(Debug, Args)]
#[command(after_help = HASH)]
pub(crate) struct Hash {
    /// It is a key for key-auth, not a password
    #[arg(long)]
    pub(crate) key: bool,
}

const PLUGINS: &str = "\
Examples:
  portway plugins
  portway plugins rate-limit    its settings, as Markdown";

#[derive(Debug, Args)]
#[command(after_help = PLUGINS)]
pub(crate) struct Plugins {
    /// The plugin to tell about
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How the list looks
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub(crate) output: Listing,
}

/// How a list looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    /// Columns
    Table,
    /// One JSON object
    Json,
}

const ECHO: &str = "\
The answer is JSON: method, path, query, headers and body of the request. The query of a request
changes the answer: ?status=503, ?wait=30ms, ?bytes=10000. It speaks HTTP/1.1 and HTTP/2, WebSocket
and Server-Sent Events.

Examples:
  portway echo 127.0.0.1:8001
  portway echo 8001 8002            two upstreams on loopback
  curl 'http://127.0.0.1:8001/hello?status=503'";

#[derive(Debug, Args)]
#[command(after_help = ECHO)]
pub(crate) struct Echo {
    /// Where to listen: address and port, or a port on loopback; port 0 takes a free one
    #[arg(value_name = "ADDR", required = true, value_parser = crate::echo::address)]
    pub(crate) addresses: Vec<std::net::SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Version {
    /// How it looks
    #[arg(short, long, value_name = "FORM", default_value = "human")]
    pub(crate) output: Report,
}

const COMPLETIONS: &str = "\
Examples:
  portway completions bash > /etc/bash_completion.d/portway
  portway completions zsh > \"${fpath[1]}/_portway\"
  portway completions fish > ~/.config/fish/completions/portway.fish";

#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

const MAN: &str = "\
Examples:
  portway man /usr/local/share/man/man1";

#[derive(Debug, Args)]
#[command(after_help = MAN)]
pub(crate) struct Man {
    /// The folder the pages are written to
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
