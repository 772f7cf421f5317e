//! How the gateway is.

use portway_config::{Kind, Origin};
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
};
use crate::access::{Moment, Verb};

/// `GET /api/v1/status`
pub(crate) async fn status(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Get, "status", None)?;
    let ledger = context.ledger();
    let Some(running) = ledger.changes().running() else {
        let (status, code) = (http::StatusCode::SERVICE_UNAVAILABLE, "starting");
        return Err(Failure::new(status, code, "the gateway is starting"));
    };
    let listeners = running.addresses().iter();
    let listeners: Vec<_> = listeners
        .map(|(name, address)| json!({ "name": name, "address": address.to_string() }))
        .collect();
    let origins: Vec<_> = running
        .origins()
        .iter()
        .map(|one| {
            json!({
                "origin": one.origin.as_str(),
                "revision": one.number,
                "applied": one.problems.is_empty(),
                "problems": one.problems,
            })
        })
        .collect();
    let config = running.config();
    let counts: Map<String, Value> = Kind::ALL
        .iter()
        .map(|kind| (kind.plural().to_owned(), config.count(*kind).into()))
        .collect();
    let state = ledger.state();
    Ok(Answer::of(json!({
        "version": context.api.version,
        "started_at": Moment::from(running.started()),
        "revision": running.revision(),
        "cores": running.cores(),
        "listeners": listeners,
        "origins": origins,
        "store": {
            "origin": Origin::store().as_str(),
            "revision": state.revision,
            "resources": state.resources.len(),
        },
        "counts": counts,
    }))
    .into())
}
