//! What a configuration says about it.

use portway_plugin::value::{ByteSize, Duration, FetchUrl, FieldName, Method};
use schemars::JsonSchema;
use serde::Deserialize;

/// Asks a server whether a request may pass. An answer of 2xx lets it pass; one of 3xx or 4xx is
/// what the client gets; when there is none, or one of 5xx, the client gets 503. The server is told
/// of the request by `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and `-For`.
///
/// ```yaml
/// forward-auth: {url: "http://auth.internal:9000/verify", response_headers: [x-user]}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ForwardAuthSpec {
    /// Whom to ask.
    pub url: FetchUrl,
    /// The method to ask by.
    #[serde(default = "method")]
    pub method: Method,
    /// How long an answer may take.
    #[serde(default = "timeout")]
    pub timeout: Duration,
    /// The header fields of the request that the server is sent.
    #[serde(default = "request_headers")]
    pub request_headers: Vec<FieldName>,
    /// The header fields of an answer that lets the request pass which are put on the request.
    /// What the client sends in these fields is taken off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<FieldName>,
    /// The header fields of an answer that does not let the request pass which the client gets.
    #[serde(default = "client_headers")]
    pub client_headers: Vec<FieldName>,
    /// The field of an answer that lets the request pass which says who asks, for `acl`,
    /// `rate-limit` and the access record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_header: Option<FieldName>,
    /// The largest body of an answer that the client gets. A larger one is left out.
    #[serde(default = "max_body")]
    pub max_body: ByteSize,
    /// Whether requests pass when the server cannot be asked.
    #[serde(default)]
    pub fail_open: bool,
    /// How long an answer that lets a request pass counts for requests like it. `0` asks every
    /// time.
    #[serde(default)]
    pub cache: Duration,
    /// The header fields, of those the server is sent, in which requests must be the same for an
    /// answer to count again: `[authorization]` where nothing else matters. Without it, all of
    /// them, so that method, host, path, query and the client's address count too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_key: Option<Vec<FieldName>>,
    /// Whether the server is asked about preflight requests of CORS too. Browsers send no
    /// credentials with them.
    #[serde(default)]
    pub run_on_preflight: bool,
}

fn method() -> Method {
    http::Method::GET.into()
}

fn timeout() -> Duration {
    Duration::from_secs(5)
}

fn names(names: &[&str]) -> Vec<FieldName> {
    names.iter().map(|name| name.parse().expect("a word is a field name")).collect()
}

fn request_headers() -> Vec<FieldName> {
    names(&["authorization", "cookie"])
}

fn client_headers() -> Vec<FieldName> {
    names(&[
        "cache-control",
        "content-type",
        "location",
        "retry-after",
        "set-cookie",
        "www-authenticate",
    ])
}

fn max_body() -> ByteSize {
    ByteSize::kib(64)
}
