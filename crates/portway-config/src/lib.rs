//! The configuration of a gateway: what its resources are, how text becomes resources, and what
//! must hold before they may be served.
//!
//! Text becomes a tree with positions, references in it are expanded, one walk over the generated
//! schema collects the problems, then typed values are made and checked. Everything here is pure:
//! no file is opened, no socket, no task; the caller brings the text and looks things up.

mod catalog;
mod check;
mod codes;
mod document;
mod expand;
mod import;
mod load;
mod places;
mod plugged;
mod reference;
mod report;
mod resource;
mod revision;
mod schema;
mod tree;
mod walk;

pub use catalog::Catalog;
pub use check::{Checked, check};
pub use codes::CODES;
pub use expand::{Lookup, NoLookup};
pub use load::{Dialect, Loaded, decode, load};
pub use places::Places;
pub use plugged::{InstanceId, Level, Plugged, Plugs, Step, Way};
pub use reference::{KeyReference, PluginReference};
pub use report::{Colour, render, render_warnings};
pub use resource::{
    AccessLog, AmbiguousPaths, Attached, Attachment, Balance, Certificate, CertificatePart,
    CipherSuite, ClientCertificateMode, ClientCertificates, Config, Consumer, Encoding, Endpoint,
    Files, ForwardPath, ForwardedHeaders, HeaderCase, HmacSecret, HostPolicy, JwtKey, Limits,
    Listener, ListenerHttp2, ListenerProtocol, ListenerTls, LogFormat, LogLevel, LogOutput,
    Logging, Match, Matches, Meta, Password, PathMatch, PluginInstance, PluginSpec, Pool, Probes,
    ProxyProtocolVersion, Redirect, RedirectHttps, RedirectStatus, Reply, Resolver, Rewrite, Route,
    Service, Shutdown, StageTimeouts, Target, Timeouts, TlsHost, TlsVersion, TypedPath,
    UpstreamHttp2, UpstreamTls, ValueMatch, WeightedService, When,
};
pub use revision::{Origin, Outcome, Revision, Source};
pub use tree::Tree;

pub use portway_plugin::{Place, Problem, value};
