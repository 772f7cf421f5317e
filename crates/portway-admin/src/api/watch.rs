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
    revisions::{seen as visible, summary},
};
use crate::{
    access::{Verb, Who},
    ledger::{Ledger, News, Record},
};

/// How often somebody who watches hears that the connection is alive.
const PING: Duration = Duration::from_secs(15);
/// How many events wait for a client. One that takes none for so long is left.
const WAITING: usize = 64;

/// `GET /api/v1/watch`
pub(crate) fn watch(context: &Context) -> Result<Made, Failure> {
    context.who.allows_somewhere(Verb::Watch, "revision")?;
    let ledger = context.ledger().clone();
    let seen = context.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let (events, receiver) = mpsc::channel(WAITING);
    let news = ledger.watch();
    tokio::spawn(tell(ledger, context.who.clone(), news, seen, events));
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

/// What somebody who watches was told.
struct Told {
    /// Up to which change.
    revision: u64,
    /// Of which history.
    restored: u64,
    who: Who,
}

/// Tells everything there is until nobody listens any more.
async fn tell(
    ledger: Ledger,
    who: Who,
    mut news: broadcast::Receiver<News>,
    seen: Option<u64>,
    events: mpsc::Sender<Bytes>,
) {
    let state = ledger.state();
    let mut told = Told { revision: seen.unwrap_or(state.revision), restored: state.restored, who };
    let mut changes = ledger.changes().clone();
    let mut ping = interval(PING);
    if told.catch_up(&ledger, &events).await.is_none() {
        return;
    }
    loop {
        let event = tokio::select! {
            one = news.recv() => match one {
                Ok(News::Changed(record)) if record.revision == told.revision + 1 => {
                    told.revision = record.revision;
                    match visible(&told.who, Record::clone(&record)) {
                        Some(record) => revision(&record),
                        None => continue,
                    }
                }
                // It was told, some were missed, or there is another history.
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    match told.catch_up(&ledger, &events).await {
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

impl Told {
    /// Tells what is in the history. What is no longer there cannot be told: the client sees a gap
    /// in the numbers.
    async fn catch_up(&mut self, ledger: &Ledger, events: &mpsc::Sender<Bytes>) -> Option<()> {
        let state = ledger.state();
        // Numbers fall only when a backup was restored, perhaps before this process began.
        if state.restored != self.restored || state.revision < self.revision {
            (self.revision, self.restored) = (state.revision, state.restored);
            return events.send(restored(state.revision)).await.ok();
        }
        while self.revision < state.revision {
            self.revision += 1;
            let record = ledger.record(self.revision).await.ok();
            if let Some(record) = record.and_then(|record| visible(&self.who, record)) {
                events.send(revision(&record)).await.ok()?;
            }
        }
        Some(())
    }
}

/// A backup took the place of everything: whoever follows the changes has to look at all of it.
fn restored(revision: u64) -> Bytes {
    event("restored", Some(revision), &json!({ "revision": revision }))
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
