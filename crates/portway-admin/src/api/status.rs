//! How the gateway is.

use std::sync::Arc;

use portway_config::{Kind, Origin};
use portway_core::Running;
use portway_store::Location;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
    service::Inner,
};
use crate::access::{Moment, Verb, Who};

/// `GET /api/v1/traffic`
pub(crate) fn traffic(context: &Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Get, "traffic", None)?;
    let running = running(context)?;
    let traffic = running.traffic();
    let routes = traffic.routes.iter().map(|one| {
        json!({
            "route": one.route,
            "service": one.service,
            "requests": one.requests,
            "errors": one.errors,
            "bytes_in": one.bytes_in,
            "bytes_out": one.bytes_out,
            "latency": { "p50": one.p50, "p99": one.p99 },
        })
    });
    Ok(Answer::of(json!({
        "time": Moment::from(std::time::SystemTime::now()),
        "routes": routes.collect::<Vec<_>>(),
        "connections": traffic.connections,
        "requests_in_flight": traffic.in_flight,
    }))
    .into())
}

pub(crate) fn running(context: &Context) -> Result<Arc<Running>, Failure> {
    running_of(&context.api)
}

/// The same before there is a context.
pub(crate) fn running_of(api: &Inner) -> Result<Arc<Running>, Failure> {
    api.ledger.changes().running().ok_or_else(|| {
        let (status, code) = (http::StatusCode::SERVICE_UNAVAILABLE, "starting");
        Failure::new(status, code, "the gateway is starting")
    })
}

/// What became of the last thing each owner said. What is wrong with it may be in any namespace:
/// those who have not all of them learn that something is.
pub(crate) fn origins(running: &Running, who: &Who) -> Value {
    let has_all = who.grant.takes_namespace(None);
    let origins = running.origins().iter().map(|one| {
        json!({
            "origin": one.origin.as_str(),
            "revision": one.number,
            "applied": one.problems.is_empty(),
            "problems": if has_all { &one.problems[..] } else { &[] },
        })
    });
    origins.collect()
}

/// `GET /api/v1/status`
pub(crate) async fn status(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Get, "status", None)?;
    let ledger = context.ledger();
    let running = running(&context)?;
    let listeners = running.addresses().iter();
    let listeners: Vec<_> = listeners
        .map(|(name, address)| json!({ "name": name, "address": address.to_string() }))
        .collect();
    let config = running.config();
    let counts: Map<String, Value> = Kind::ALL
        .iter()
        .map(|kind| (kind.plural().to_owned(), config.count(*kind).into()))
        .collect();
    let state = ledger.state();
    let (kind, path, bytes) = match ledger.location().await {
        Some(Location::Memory) => (Some("memory"), None, None),
        Some(Location::File { path, bytes }) => (Some("embedded"), Some(path), Some(bytes)),
        None => (None, None, None),
    };
    Ok(Answer::of(json!({
        "version": context.api.version,
        "started_at": Moment::from(running.started()),
        "revision": running.revision(),
        "ready": running.is_ready(),
        "cores": running.cores(),
        "listeners": listeners,
        "origins": origins(&running, &context.who),
        "store": {
            "origin": Origin::store().as_str(),
            "kind": kind,
            "path": path,
            "bytes": bytes,
            "revision": state.revision,
            "resources": state.resources.len(),
        },
        "counts": counts,
    }))
    .into())
}
