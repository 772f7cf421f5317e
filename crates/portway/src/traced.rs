//! Events of requests in the program's own log.

use portway_core::observe::{Event, What};
use portway_plugin::{Error, Side};
use tracing::{debug, info, warn};

/// An observer that writes to the program's `tracing` subscriber: what goes well at `debug`, what
/// clients do wrong at `info`, what upstreams and the gateway do wrong at `warn`. Targets are
/// `portway::request` and `portway::upstream`.
pub fn tracing_observer(event: &Event<'_>) {
    let Event { request_id, route, service, .. } = *event;
    match event.what {
        What::Started { method, path, .. } => {
            debug!(target: "portway::request", request_id, route, service, %method, path, "started");
        }
        What::Refused { error } | What::NotDispatched { error } => refused(event, error),
        What::EndpointChosen { endpoint } => {
            debug!(target: "portway::upstream", request_id, route, service, endpoint, "chosen");
        }
        What::Answered { endpoint, status, took } => {
            let status = status.as_u16();
            debug!(
                target: "portway::upstream",
                request_id, route, service, endpoint, status, ?took, "answered"
            );
        }
        What::Failed { endpoint, error, took } => {
            let (code, cause) = (error.code(), error.cause());
            warn!(
                target: "portway::upstream",
                request_id, route, service, endpoint, code, cause, ?took, "failed"
            );
        }
        What::Finished { status, bytes_in, bytes_out, took } => {
            debug!(
                target: "portway::request",
                request_id, route, service, status, bytes_in, bytes_out, ?took, "finished"
            );
        }
        // Others may come; a log need not know them.
        _ => {}
    }
}

fn refused(event: &Event<'_>, error: &Error) {
    let Event { request_id, route, service, .. } = *event;
    let (code, status, cause) = (error.code(), error.status().as_u16(), error.cause());
    match error.side() {
        Side::Client => {
            info!(target: "portway::request", request_id, route, service, code, status, "refused");
        }
        Side::Upstream | Side::Gateway => warn!(
            target: "portway::request",
            request_id, route, service, code, status, cause, "refused"
        ),
    }
}
