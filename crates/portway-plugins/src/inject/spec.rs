//! What a configuration says about webhooks.

use portway_plugin::value::{ByteSize, Duration, ServiceUrl};
use schemars::JsonSchema;
use serde::Deserialize;

/// Webhooks that may put other messages in the place of requests, of answers, or of both.
///
/// A webhook gets everything the message has, cookies and credentials included. When it sends back
/// another message, it has to send back every field that is to stay, too. Events (`text/event-stream`), gRPC and
/// answers with 1xx are never sent to one: they cannot be read whole.
///
/// ```yaml
/// request: {url: "http://127.0.0.1:9000/request", timeout: 2s}
/// response: {url: "http://127.0.0.1:9000/answer", fail_open: true}
/// ```
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct InjectSpec {
    /// The webhook for requests, before they are sent on. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<WebhookSpec>,
    /// The webhook for answers of the upstream. Errors of the gateway are not sent to it. Default:
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<WebhookSpec>,
}

/// Who is asked, and what happens when that fails.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct WebhookSpec {
    /// Where the webhook is: `http://…` or `https://…`, with a path and a query if it wants one.
    /// Link-local addresses and the gateway's own admin and probe listeners are refused when it is
    /// asked.
    pub url: ServiceUrl,
    /// How long it may take, the body included. Default: 2s.
    #[serde(default = "two_seconds")]
    pub timeout: Duration,
    /// The longest body of the message, and of what comes back. A longer request is refused with
    /// 413; for a longer answer the client gets 502. At most 8MiB. Default: 1MiB.
    #[serde(default = "one_mebibyte")]
    pub max_body: ByteSize,
    /// Whether the message goes on as it is when the webhook fails. Without it, the client gets
    /// 503 when the webhook cannot be asked, and 502 when it answers anything but 200 or 204, or
    /// what cannot be used. Default: `false`.
    #[serde(default)]
    pub fail_open: bool,
}

fn two_seconds() -> Duration {
    Duration::from_secs(2)
}

fn one_mebibyte() -> ByteSize {
    ByteSize::mib(1)
}
