//! What comes of asking: an answer that may be sent, or why there is none.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header};
use portway_core::{Error, Response};
use tokio::time::timeout;

use super::super::answer::{Failure, Made};

/// How long the head of an answer may take. Its body may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is between two neighbours, and the gateway's alone to say (RFC 9110 section 7.6.1).
const OF_THE_CONNECTION: [HeaderName; 4] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Waits for an answer on a task of its own, whose panic is nobody else's.
pub(super) async fn answered(
    work: impl Future<Output = Result<Response, Error>> + Send + 'static,
) -> Result<Made, Failure> {
    let mut working = tokio::spawn(work);
    match timeout(PATIENCE, &mut working).await {
        Ok(Ok(Ok(response))) => sendable(response),
        Ok(Ok(Err(error))) => Err(told(error)),
        // Where it panicked stands in the log already, by the panic itself.
        Ok(Err(_)) => {
            tracing::error!("an extension of the admin API panicked");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Err(Failure::new(status, "extension_failed", "an extension of the admin API failed"))
        }
        Err(_) => {
            working.abort();
            let detail = format!("it has not answered within {} seconds", PATIENCE.as_secs());
            Err(Failure::new(StatusCode::GATEWAY_TIMEOUT, "extension_timeout", detail))
        }
    }
}

/// An answer without what only the gateway may say, and guarded as those of the API are.
fn sendable(mut response: Response) -> Result<Made, Failure> {
    if response.status().is_informational() {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let detail = format!("an extension answered {}, which is no answer", response.status());
        return Err(Failure::new(status, "extension_failed", detail));
    }
    let headers = response.headers_mut();
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    let guards = [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    for (name, value) in guards {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    Ok(response.into())
}

/// The error as this API tells errors; its cause is for the log.
fn told(mut error: Error) -> Failure {
    if error.status().is_server_error() {
        let cause = error.cause();
        tracing::error!(
            code = error.code(),
            cause,
            "an extension of the admin API failed: {error}"
        );
    }
    let headers = std::mem::take(error.headers_mut());
    let mut failure = Failure::new(error.status(), error.code(), error.message().to_owned());
    *failure.headers = headers;
    failure
}
