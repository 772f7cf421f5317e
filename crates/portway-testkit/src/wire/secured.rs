//! What TLS says about a connection.

use serde::{Deserialize, Serialize};

/// What a connection over TLS has agreed on, and who the peer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Secured {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// The cipher suite, as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The protocol agreed on by ALPN, if any.
    pub alpn: Option<String>,
    /// The server name the client asked for; only a server knows it.
    pub server_name: Option<String>,
    /// The subject of the peer's certificate, as `CN=billing`. For a server the peer is the
    /// client.
    pub peer_subject: Option<String>,
    /// The DNS names, URIs, addresses of e-mail and IP addresses in the peer's certificate.
    pub peer_names: Vec<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
}
