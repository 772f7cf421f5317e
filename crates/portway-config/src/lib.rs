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
mod merge;
mod places;
mod plugged;
mod reference;
mod report;
mod resource;
mod revision;
mod schema;
mod sensitive;
mod stored;
mod together;
mod tree;
mod walk;
mod ways;

pub use catalog::Catalog;
pub use check::{Checked, Known, check, check_knowing};
pub use codes::CODES;
pub use expand::{Lookup, NoLookup, SecretId, Use};
pub use load::{Dialect, Loaded, decode, load};
pub use merge::merge;
pub use places::Places;
pub use plugged::{InstanceId, Level, Plugged, Plugs, Step, Way};
pub use reference::{KeyReference, PluginReference};
pub use report::{Colour, Texts, render, render_warnings};
pub use resource::{
    Access, AccessLog, Admin, AdminCertificate, AdminJwt, AdminPassword, AmbiguousPaths, Attached,
    Attachment, Authentication, Balance, Certificate, CertificatePart, CipherSuite,
    ClientCertificateMode, ClientCertificates, Collection, Config, Consumer, Declared, Domain,
    Encoding, Endpoint, Files, ForwardPath, ForwardedHeaders, HashKey, HeaderCase, HmacSecret,
    HostPolicy, Iter, JwtKey, Keepalive, KeyPair, Kind, Labels, Limits, List, Listener,
    ListenerHttp2, ListenerProtocol, ListenerTls, LogFormat, LogLevel, LogOutput, Logging, Match,
    Matches, Meta, NamedSecret, Namespace, Password, PathMatch, PluginInstance, PluginSpec, Pool,
    Probes, ProxyProtocolVersion, Redirect, RedirectHttps, RedirectStatus, Reply, Resolver,
    Resource, ResourceId, ResourceRef, Rewrite, Role, Route, Service, Shutdown, Socket,
    StageTimeouts, Storage, StorageKind, Target, Timeouts, TlsHost, TlsVersion, TypedPath,
    UpstreamHttp2, UpstreamTls, ValueMatch, Visibility, Walk, WeightedService, When,
};
pub use revision::{Origin, Outcome, Revision, Source};
pub use stored::{Resources, Spec, Written, named, resource, resources};
pub use together::{Document, load_start, load_together};
pub use tree::Tree;

pub use portway_plugin::{
    Busy, ClientCertificate, Entry, Place, Problem, balance, credential, value,
};
