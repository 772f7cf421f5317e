//! The resources a gateway is made of: one family of types for every door.
//!
//! A resource is plain data with `Eq`: equality is what a reload compares. It knows neither
//! where it was written (positions live in a side table) nor how it is served (the data plane
//! compiles it). The comments on the fields are the reference that users read, in the JSON
//! Schema and in their editors.

mod admin;
mod balance;
mod consumer;
#[cfg(feature = "schemas")]
mod document_schema;
#[cfg(not(feature = "schemas"))]
#[path = "no_document_schema.rs"]
mod document_schema;
mod files;
mod gateway;
mod keep;
mod kind;
mod labels;
mod list;
mod listener;
mod matches;
mod meta;
mod namespace;
mod plugin;
mod route;
mod service;
mod socket;
mod tls;

pub use admin::{Access, Admin, AdminCertificate, AdminJwt, AdminPassword, Authentication, Role};
pub use balance::{Balance, HashKey};
pub use consumer::{Consumer, HmacSecret, JwtKey, Password};
pub(crate) use document_schema::DocumentSchema;
pub use files::{Encoding, Files};
pub use gateway::{
    AccessLog, Config, LogFormat, LogLevel, LogOutput, Logging, Probes, Resolver, Shutdown,
    Storage, StorageKind,
};
pub use keep::{Collection, NamedSecret, Visibility};
pub use kind::{Declared, Kind, Resource, ResourceId, ResourceRef};
pub use labels::Labels;
pub use list::{Iter, List, Walk};
pub use listener::{
    AmbiguousPaths, ForwardedHeaders, HeaderCase, Limits, Listener, ListenerHttp2,
    ListenerProtocol, RedirectHttps,
};
pub use matches::{CertificatePart, Match, Matches, PathMatch, TypedPath, ValueMatch};
pub use meta::Meta;
pub use namespace::{Certificate, Domain, Namespace};
pub use plugin::{Attached, Attachment, PluginInstance, PluginSpec, When};
pub use route::{Redirect, RedirectStatus, Reply, Rewrite, Route, Target, WeightedService};
pub use service::{
    Endpoint, ForwardPath, HostPolicy, Pool, ProxyProtocolVersion, Service, StageTimeouts,
    Timeouts, UpstreamHttp2,
};
pub use socket::{Keepalive, Socket};
pub use tls::{
    CipherSuite, ClientCertificateMode, ClientCertificates, KeyPair, ListenerTls, TlsHost,
    TlsVersion, UpstreamTls,
};
