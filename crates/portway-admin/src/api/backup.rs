//! Everything the store holds, out and in.

use futures_util::StreamExt as _;
use http::{HeaderValue, StatusCode, header};
use http_body::Frame;
use http_body_util::StreamBody;
use portway_core::{Body, Error, Response};
use serde_json::json;

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
    writing,
};
use crate::{access::Verb, ledger};

/// `GET /api/v1/backup`
pub(crate) async fn backup(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Get, "backup", None)?;
    let store = context.ledger().store();
    let pieces = portway_store::backup::backup(&**store).await.map_err(ledger::Error::from)?;
    let frames = pieces.map(|piece| match piece {
        Ok(bytes) => Ok(Frame::data(bytes)),
        // The last piece is missing: nobody takes it for a whole backup.
        Err(error) => Err(Error::gateway("store_unavailable", "the store failed").because(error)),
    });
    let mut response = Response::new(Body::stream(StreamBody::new(frames)));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = HeaderValue::from_static("attachment; filename=\"portway.backup\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response.into())
}

/// `POST /api/v1/restore`
pub(crate) async fn restore(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Put, "backup", None)?;
    let dry_run = context.query.is_set("dry_run")?;
    let read = context.ledger().read_backup(context.body.clone()).await.map_err(unrestored)?;
    let revision = writing::restore(&context, read, dry_run).await?;
    let answer = Answer::of(serde_json::Value::Null).meta("revision", revision);
    let answer = answer.meta("changed", !dry_run);
    Ok(Answer { revision: (!dry_run).then_some(revision), ..answer.meta("dry_run", dry_run) }
        .into())
}

/// Why a backup was not restored.
pub(crate) fn unrestored(error: ledger::Error) -> Failure {
    match error {
        ledger::Error::Store(portway_store::Error::Invalid(why)) => {
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "no_backup", why)
        }
        error => error.into(),
    }
}

/// `POST /api/v1/secrets/rotate-key`
pub(crate) async fn rotate_key(context: Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Put, "key", None)?;
    let ledger::Rotated { key_id, resealed } = context.ledger().rotate_key().await?;
    Ok(Answer::of(json!({ "key_id": key_id, "resealed": resealed })).into())
}
