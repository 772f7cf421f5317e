//! Changes as they come, as server-sent events.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Frame;
use http_body_util::StreamBody;
use portway_core::{Body, Changes, Error, Response, Running};
use serde_json::{Value, json};
use tokio::{
    sync::{broadcast, mpsc},
    time::interval,
};

use super::{
    answer::{Failure, Made},
    context::Context,
    revisions::summary,
};
use crate::{
    access::Verb,
    ledger::{Ledger, Record},
};

/// How often somebody who watches hears that the connection is alive.
const PING: Duration = Duration::from_secs(15);
/// How many events wait for a client. One that takes none for so long is left.
const WAITING: usize = 64;

/// `GET /api/v1/watch`
pub(crate) fn watch(context: &Context) -> Result<Made, Failure> {
    context.who.allows(Verb::Watch, "revision", None)?;
    let ledger = context.ledger().clone();
    let seen = context.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let (events, receiver) = mpsc::channel(WAITING);
    let news = ledger.watch();
    tokio::spawn(tell(ledger, news, seen, events));
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let event: Bytes = receiver.recv().await?;
        Some((Ok::<_, Error>(Frame::data(event)), receiver))
    });
    let mut response = Response::new(Body::stream(StreamBody::new(frames)));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response.into())
}

/// Tells everything there is until nobody listens any more.
async fn tell(
    ledger: Ledger,
    mut news: broadcast::Receiver<Arc<Record>>,
    seen: Option<u64>,
    events: mpsc::Sender<Bytes>,
) {
    let mut told = seen.unwrap_or(ledger.state().revision);
    let mut changes = ledger.changes().clone();
    let mut ping = interval(PING);
    if catch_up(&ledger, &mut told, &events).await.is_none() {
        return;
    }
    loop {
        let event = tokio::select! {
            record = news.recv() => match record {
                Ok(record) if record.revision <= told => continue,
                Ok(record) if record.revision == told + 1 => {
                    told = record.revision;
                    revision(&record)
                }
                // Some were missed.
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    match catch_up(&ledger, &mut told, &events).await {
                        Some(()) => continue,
                        None => return,
                    }
                }
                Err(broadcast::error::RecvError::Closed) => return,
            },
            running = next(&mut changes) => match running {
                Some(running) => outcome(&running),
                None => return,
            },
            _ = ping.tick() => Bytes::from_static(b": ping\n\n"),
            () = events.closed() => return,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

async fn next(changes: &mut Changes) -> Option<Arc<Running>> {
    changes.changed().await
}

/// Tells what is in the history. What is no longer there cannot be told: the client sees a gap in
/// the numbers.
async fn catch_up(ledger: &Ledger, told: &mut u64, events: &mpsc::Sender<Bytes>) -> Option<()> {
    while *told < ledger.state().revision {
        *told += 1;
        if let Ok(record) = ledger.record(*told).await {
            events.send(revision(&record)).await.ok()?;
        }
    }
    Some(())
}

fn revision(record: &Record) -> Bytes {
    event("revision", Some(record.revision), &summary(record))
}

/// What became of the last thing each owner said.
fn outcome(running: &Running) -> Bytes {
    let origins = running.origins().iter().map(|one| {
        json!({
            "origin": one.origin.as_str(),
            "revision": one.number,
            "applied": one.problems.is_empty(),
            "problems": one.problems,
        })
    });
    let data = json!({ "revision": running.revision(), "origins": origins.collect::<Value>() });
    event("outcome", None, &data)
}

fn event(name: &str, id: Option<u64>, data: &Value) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("event: {name}\n{id}data: {data}\n\n").into()
}
