//! What was asked for.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
};
use crate::access::Verb;

const LIMIT: usize = 100;

/// `GET /api/v1/audit`
pub(crate) async fn list(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::List, "audit", None)?;
    let limit = context.query.limit(LIMIT)?;
    let before = context.query.parsed("cursor")?;
    let api = Arc::clone(&context.api);
    // A file is read on a thread that may wait for a disk.
    let read = spawn_blocking(move || api.audit.read(before, limit)).await;
    let page = read.map_err(|_| unread(&"it was given up"))?.map_err(|why| unread(&why))?;
    let cursor = page.before.map_or(Value::Null, |before| before.to_string().into());
    Ok(Answer::of(page.records).meta("cursor", cursor).into())
}

fn unread(why: &dyn std::fmt::Display) -> Failure {
    let detail = format!("the audit log cannot be read: {why}");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "audit_unavailable", detail)
}
