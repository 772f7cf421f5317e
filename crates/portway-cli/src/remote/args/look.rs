//! Commands that change nothing.

use std::net::IpAddr;

use clap::{Args, ValueEnum};

use super::{Connection, Output, Scope};

const GET: &str = "\
KIND is a word such as route, routes or rt; `portway list kinds` shows all of them.

Examples:
  portway get route shop
  portway get svc accounts -n billing -o yaml > accounts.yaml
  portway put svc accounts -n billing -f accounts.yaml";

#[derive(Args, Debug)]
#[command(after_help = GET)]
pub(crate) struct Get {
    /// The kind of resource
    pub(crate) kind: String,
    /// Its name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const LIST: &str = "\
Examples:
  portway list routes
  portway list routes --label team=shop --name 'shop-*'
  portway list services -o json | jq -r '.[].spec.url'
  portway list kinds                 what can be asked for";

#[derive(Args, Debug)]
#[command(after_help = LIST)]
pub(crate) struct List {
    /// The kind of resource, or `kinds`
    pub(crate) kind: String,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Which resources are listed.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only names like this; `*` stands for anything
    #[arg(long, value_name = "PATTERN")]
    pub(crate) name: Option<String>,
    /// Only those with this label; may be given several times, or as a list
    #[arg(
        short,
        long = "label",
        visible_alias = "selector",
        value_name = "KEY=VALUE",
        value_delimiter = ','
    )]
    pub(crate) labels: Vec<String>,
    /// Only those of this owner: `store`, `code` or `file:/path`
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

const EXPORT: &str = "\
What is exported can be applied again. Secrets are not part of it.

Examples:
  portway export > gateway.yaml
  portway export -n billing --kind routes,services
  portway export --owner file:/etc/portway/portway.yaml -o json";

#[derive(Args, Debug)]
#[command(after_help = EXPORT)]
pub(crate) struct Export {
    /// Only these kinds
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// What this owner has: `store`, `code` or `file:/path` [default: store]
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<String>,
    /// How it is written
    #[arg(short, long, value_name = "FORM", default_value = "yaml")]
    pub(crate) output: Written,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// The formats of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Written {
    /// YAML
    Yaml,
    /// JSON
    Json,
}

const EXPLAIN: &str = "\
Nothing is sent anywhere: the gateway says which route would take the request, and for each route
it looked at before, the first condition that ruled it out. --live tells the same of a request that
was sent with a debug token, and what happened to it: its answer says by which id.

Examples:
  portway explain GET http://shop.example.com/cart/42
  portway explain POST https://shop.example.com/cart -H 'X-Tenant: acme' --client 203.0.113.9
  curl -i -H \"$(portway token debug)\" http://shop.example.com/cart/42
  portway explain --live <X-Portway-Debug-Id>";

#[derive(Args, Debug)]
#[command(after_help = EXPLAIN)]
pub(crate) struct Explain {
    /// The method
    #[arg(required_unless_present = "live")]
    pub(crate) method: Option<String>,
    /// The URL a client would ask for
    #[arg(required_unless_present = "live")]
    pub(crate) url: Option<String>,
    /// A request that was sent with a debug token, by the id in its answer
    #[arg(long, value_name = "ID", conflicts_with_all = ["method", "url", "headers", "client", "listener"])]
    pub(crate) live: Option<String>,
    /// A header field; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// The client's address
    #[arg(long, value_name = "IP")]
    pub(crate) client: Option<IpAddr>,
    /// The listener it comes in by
    #[arg(long, value_name = "NAME")]
    pub(crate) listener: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const HISTORY: &str = "\
Examples:
  portway history
  portway show 12                    what changed then
  portway diff --from 12             what has changed since
  portway rollback 12                back to it";

#[derive(Args, Debug)]
#[command(after_help = HISTORY)]
pub(crate) struct History {
    /// How many, the newest first
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The number of the change, from `portway history`
    #[arg(value_name = "REVISION")]
    pub(crate) revision: u64,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Audit {
    /// How many, the newest first
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const WATCH: &str = "\
With -o json each event is one line. When the connection is lost it goes on where it was.

Examples:
  portway watch
  portway watch --since 12           first what came after change 12
  portway watch -o json --count 1    wait for one event";

#[derive(Args, Debug)]
#[command(after_help = WATCH)]
pub(crate) struct Watch {
    /// Begin after this change, not now
    #[arg(long, value_name = "REVISION")]
    pub(crate) since: Option<u64>,
    /// End after so many events
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

const TOP: &str = "\
On a terminal: q quits; r, e, l, n sort by requests, errors, latency, name; s shows services in
place of routes. Elsewhere one table is printed for each interval.

Examples:
  portway top
  portway top --once --interval 10   one table of the next ten seconds
  portway top -o json --once | jq '.routes[0]'";

#[derive(Args, Debug)]
#[command(after_help = TOP)]
pub(crate) struct Top {
    /// Print one table and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Seconds from one table to the next
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub(crate) interval: std::time::Duration,
    /// What comes first
    #[arg(long, value_name = "COLUMN", default_value = "requests")]
    pub(crate) sort: Sort,
    /// At most so many rows
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What comes first in a table of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// The most requests a second
    Requests,
    /// The most errors a second
    Errors,
    /// The longest 99th percentile
    Latency,
    /// The alphabet
    Name,
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.05..=86_400.0).contains(seconds));
    let seconds = seconds.ok_or("write seconds, from 0.05 to 86400")?;
    Ok(std::time::Duration::from_secs_f64(seconds))
}

const STATUS: &str = "\
The exit code is 0 when the gateway is ready, else 1.";

#[derive(Args, Debug)]
#[command(after_help = STATUS)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
