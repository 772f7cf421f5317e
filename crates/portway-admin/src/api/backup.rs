//! Everything the store holds, out and in.

use futures_util::StreamExt as _;
use http::{HeaderValue, StatusCode, header};
use http_body::Frame;
use http_body_util::StreamBody;
use portway_core::{Body, Error, Response};

use super::{
    answer::{Answer, Failure, Made},
    context::Context,
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
    let restored = context.ledger().restore(context.body.clone(), dry_run).await;
    let revision = restored.map_err(|error| match error {
        ledger::Error::Store(portway_store::Error::Invalid(why)) => {
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "no_backup", why)
        }
        ledger::Error::Lost(_) => {
            let detail = error.to_string();
            Failure::new(StatusCode::CONFLICT, "missing_key", detail)
        }
        error => error.into(),
    })?;
    let answer = Answer::of(serde_json::Value::Null).meta("revision", revision);
    Ok(Answer { revision: (!dry_run).then_some(revision), ..answer.meta("dry_run", dry_run) }
        .into())
}
