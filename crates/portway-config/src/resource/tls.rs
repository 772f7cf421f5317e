//! TLS: what a listener shows its clients and asks of them, and what a service is asked.

use portway_plugin::value::{Certificates, Duration, HostPattern, HostValue, PrivateKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a listener ends TLS. HTTP/2 is offered first, then HTTP/1.1 (RFC 7301). The files it names
/// are watched: a new pair is taken over as it is changed, without touching a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ListenerTls {
    /// The certificates, chosen by the name a client asks for (SNI): exact before wildcard, and
    /// the first one where none fits. Several for one name may differ in their kind of key. Those
    /// of domains come after them; without any here, there must be one of those.
    #[serde(default)]
    pub certificates: Vec<KeyPair>,
    /// The oldest version that is spoken.
    #[serde(default)]
    pub min_version: TlsVersion,
    /// The cipher suites that may be used. Without any, all that are modern: those of Mozilla's
    /// intermediate recommendation that have forward secrecy and authenticated encryption.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<CipherSuite>,
    /// What is asked of clients, for every host that says nothing else.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
    /// What is asked of clients of some hosts. A request for a host with another policy than its
    /// connection was opened under is answered 421.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<TlsHost>,
    /// `true` refuses a handshake for a name that no certificate is for, in place of showing the
    /// first one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict_sni: bool,
    /// `true` also takes HTTP without TLS on the same port: the first byte tells.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_plain: bool,
    /// How long a handshake may take, from the connection's first moment.
    #[serde(default = "handshake_timeout")]
    pub handshake_timeout: Duration,
    /// The handshakes under way at once; further connections are closed. `0` is no limit.
    #[serde(default = "max_handshakes")]
    pub max_handshakes: u32,
    /// `false` lets no client resume a session. The keys of tickets change every six hours.
    #[serde(default = "yes")]
    pub resumption: bool,
}

impl ListenerTls {
    /// TLS with these certificates and every default.
    #[must_use]
    pub fn new(certificates: Vec<KeyPair>) -> Self {
        Self {
            certificates,
            min_version: TlsVersion::default(),
            cipher_suites: Vec::new(),
            client_certificates: ClientCertificates::default(),
            hosts: Vec::new(),
            strict_sni: false,
            accept_plain: false,
            handshake_timeout: handshake_timeout(),
            max_handshakes: max_handshakes(),
            resumption: yes(),
        }
    }
}

/// A certificate with its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct KeyPair {
    /// The certificate and the chain behind it: the path of a PEM file, or the PEM text itself.
    pub cert: Certificates,
    /// Its private key (PKCS#8, PKCS#1 or SEC1): the path of a PEM file, or the PEM text itself.
    pub key: PrivateKey,
    /// The names it is shown for. Without any, those that stand in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostPattern>,
}

/// A version of TLS.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "1.3")]
    Tls13,
}

/// A cipher suite, by its name in the IANA registry.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[expect(missing_docs, reason = "the names are the registry's")]
#[allow(clippy::upper_case_acronyms, non_camel_case_types, reason = "the names are the registry's")]
pub enum CipherSuite {
    TLS_AES_128_GCM_SHA256,
    TLS_AES_256_GCM_SHA384,
    TLS_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

/// What is asked of clients, as for their certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClientCertificates {
    /// Whether a client must show a certificate.
    pub mode: ClientCertificateMode,
    /// The authorities that may have issued it: the path of a PEM file, or the PEM text itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<Certificates>,
}

/// Whether a client must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificateMode {
    /// None is asked for.
    #[default]
    Off,
    /// One is asked for, and verified when it comes.
    Optional,
    /// Without a good one there is no connection.
    Required,
}

/// What is asked of the clients of some hosts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TlsHost {
    /// Which hosts.
    pub hosts: Vec<HostPattern>,
    /// What is asked of their clients.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
}

/// How a service is spoken to over TLS (`https://`). Its certificate is verified, and its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UpstreamTls {
    /// The authorities that may have issued its certificate: the path of a PEM file, or the PEM
    /// text itself. Without it, those the system trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<Certificates>,
    /// The certificate the gateway shows, with the chain behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<Certificates>,
    /// The private key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PrivateKey>,
    /// The name that is asked for (SNI) and that the certificate must be for. Without it, the host
    /// of the endpoint's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<HostValue>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// `true` takes any certificate: whoever is between here and there can read and change what
    /// passes. For trying out only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub insecure_skip_verify: bool,
}

fn handshake_timeout() -> Duration {
    Duration::from_secs(10)
}

const fn max_handshakes() -> u32 {
    1000
}

const fn yes() -> bool {
    true
}
