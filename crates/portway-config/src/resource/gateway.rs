//! The document as a whole, and what concerns the process rather than one resource.

use portway_plugin::value::{BindAddr, Duration, PeerAddr};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Admin, Attached, Certificate, Collection, Consumer, Domain, List, Listener, NamedSecret,
    Namespace, PluginInstance, Route, Service,
};

/// A gateway's configuration: what one file says, or what several sources say together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The namespaces besides `default`.
    pub namespaces: List<Namespace>,
    /// Which hosts belong to which namespace.
    pub domains: List<Domain>,
    /// Certificates for domains.
    pub certificates: List<Certificate>,
    /// Texts that the configuration takes in by `${secret:name}`.
    pub secrets: List<NamedSecret>,
    /// Sets of documents.
    pub collections: List<Collection>,
    /// Where clients connect. Without any, one listener named `web` binds `0.0.0.0:8080`.
    pub listeners: List<Listener>,
    /// The services requests are forwarded to.
    pub services: List<Service>,
    /// Routes that name their target themselves. Routes of a service may stand under the service.
    pub routes: List<Route>,
    /// Plugins for all requests of the gateway.
    pub global_plugins: Vec<Attached>,
    /// Instances of plugins that are shared by all who name them.
    pub plugins: List<PluginInstance>,
    /// Who may ask, and how they show who they are.
    pub consumers: List<Consumer>,
    /// The listener for health, readiness, metrics and version.
    pub probes: Probes,
    /// The admin API, by which resources are changed while traffic flows.
    pub admin: Admin,
    /// Where what the admin API writes is kept. Read at start.
    pub store: Storage,
    /// What the process says about itself.
    pub log: Logging,
    /// One record for each request.
    pub access_log: AccessLog,
    /// How endpoint names are resolved.
    pub resolver: Resolver,
    /// How the process ends.
    pub shutdown: Shutdown,
    /// How long a stream (an upgraded connection, an event stream, a long body) may go on after
    /// its route or listener was removed. `0` ends it at once.
    pub stream_drain: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            namespaces: List::default(),
            domains: List::default(),
            certificates: List::default(),
            secrets: List::default(),
            collections: List::default(),
            listeners: List::default(),
            services: List::default(),
            routes: List::default(),
            global_plugins: Vec::new(),
            plugins: List::default(),
            consumers: List::default(),
            probes: Probes::default(),
            admin: Admin::default(),
            store: Storage::default(),
            log: Logging::default(),
            access_log: AccessLog::default(),
            resolver: Resolver::default(),
            shutdown: Shutdown::default(),
            stream_drain: Duration::from_secs(30),
        }
    }
}

/// The probe listener: `/healthz`, `/livez`, `/readyz`, `/metrics`, `/version`. It shows nothing
/// secret and needs no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Probes {
    /// The address the probes are served on.
    pub bind: BindAddr,
    /// `false` opens no probe listener.
    pub enabled: bool,
    /// Also export `restgate_requests_total` and `restgate_request_duration_seconds`, so that
    /// dashboards made for RESTGate go on working.
    pub restgate_metrics: bool,
}

impl Default for Probes {
    fn default() -> Self {
        Self { bind: BindAddr::localhost(9000), enabled: true, restgate_metrics: false }
    }
}

/// Where what the admin API writes is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Storage {
    /// What keeps it.
    pub kind: StorageKind,
    /// The directory of the embedded store, and of the key that secrets are sealed with. Without
    /// it, `PORTWAY_DATA_DIR`; without that, `/var/lib/portway` for the user root, and
    /// `~/.local/share/portway` for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How many revisions the history has.
    #[schemars(range(min = 1, max = 100000))]
    pub history: u32,
}

impl Default for Storage {
    fn default() -> Self {
        Self { kind: StorageKind::default(), directory: None, history: 1000 }
    }
}

/// What keeps what the admin API writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageKind {
    /// A database in one file.
    #[default]
    Embedded,
    /// Nothing: it is gone with the process.
    Memory,
}

/// The process log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Logging {
    /// The least severe level that is written. Changed by a reload.
    pub level: LogLevel,
    /// How a line looks. Read at start.
    pub format: LogFormat,
}

/// How much the process says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything, for following one request.
    Trace,
    /// What a developer of the gateway wants to see.
    Debug,
    /// What an operator wants to see.
    #[default]
    Info,
    /// What may need attention.
    Warn,
    /// What needs attention.
    Error,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The access log: one record for each request, written off the request path. Query strings,
/// `Authorization` and cookies are never in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AccessLog {
    /// `false` writes no records.
    pub enabled: bool,
    /// `stdout`, `stderr` or the path of a file, which is opened for appending.
    pub path: LogOutput,
    /// How a record looks. Without it, as `log.format` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<LogFormat>,
}

impl Default for AccessLog {
    fn default() -> Self {
        Self { enabled: true, path: LogOutput::Stdout, format: None }
    }
}

/// Where records go.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum LogOutput {
    /// The process's standard output.
    Stdout,
    /// The process's standard error.
    Stderr,
    /// A file, opened for appending.
    File(std::path::PathBuf),
}

impl From<String> for LogOutput {
    fn from(text: String) -> Self {
        match text.as_str() {
            "stdout" => Self::Stdout,
            "stderr" => Self::Stderr,
            _ => Self::File(text.into()),
        }
    }
}

impl From<LogOutput> for String {
    fn from(output: LogOutput) -> Self {
        match output {
            LogOutput::Stdout => "stdout".to_owned(),
            LogOutput::Stderr => "stderr".to_owned(),
            LogOutput::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}

/// How endpoint names become addresses. Names are resolved off the request path, again as the
/// answer's time to live says; the last good answer is kept while the name server is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Resolver {
    /// Name servers to ask (`address:port`). Without any, the system's (`/etc/resolv.conf`).
    pub servers: Vec<PeerAddr>,
    /// The shortest time between two look-ups of a name, whatever its time to live.
    pub min_ttl: Duration,
    /// The longest time an answer is used without asking again.
    pub max_ttl: Duration,
}

impl Default for Resolver {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            min_ttl: Duration::from_secs(1),
            max_ttl: Duration::from_secs(300),
        }
    }
}

/// How the process ends after SIGTERM or SIGINT: readiness fails, then the delay, then no new
/// connections, then what is in flight finishes. A second signal ends it at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Shutdown {
    /// How long connections are still accepted after readiness began to fail, so that load
    /// balancers notice first.
    pub delay: Duration,
    /// How long requests in flight may take to finish. Then they are cut.
    pub timeout: Duration,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { delay: Duration::ZERO, timeout: Duration::from_secs(15) }
    }
}
