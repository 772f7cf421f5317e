//! Changes as they come, as server-sent events.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header, request::Parts};
use http_body::Frame;
use http_body_util::StreamBody;
use portway_core::{Body, Error, Response, Running};
use serde_json::{Value, json};
use tokio::{
    sync::{broadcast, mpsc},
    time::interval,
};

use super::{
    answer::{Failure, Made},
    context::Context,
    revisions::{seen as visible, summary},
    service::{Inner, peer},
    status::origins,
};
use crate::{
    access::{Verb, Who},
    ledger::{self, News, Record},
};

/// How often somebody who watches hears that the connection is alive.
const PING: Duration = Duration::from_secs(15);
/// How many events wait for a client.
const WAITING: usize = 64;
/// How long they wait for one that takes none of them. Then it is left.
const PATIENCE: Duration = Duration::from_secs(60);

/// `GET /api/v1/watch`
pub(crate) fn watch(context: &Context) -> Result<Made, Failure> {
    context.who.allows_somewhere(Verb::Watch, "revision")?;
    let seen = context.head.headers.get("last-event-id");
    let seen = seen.and_then(|id| id.to_str().ok()?.parse().ok());
    let (events, receiver) = mpsc::channel(WAITING);
    // What is written from here on is heard.
    let news = context.ledger().watch();
    let state = context.ledger().state();
    let watcher = Watcher {
        api: Arc::clone(&context.api),
        head: context.head.clone(),
        who: context.who.clone(),
        revision: seen.unwrap_or(state.revision),
        restored: state.restored,
        events,
    };
    tokio::spawn(watcher.tell(news));
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

/// Somebody who watches. Whatever they are told ends with `None` when they are told nothing more.
struct Watcher {
    api: Arc<Inner>,
    /// What they asked with, which has to be good for as long as they watch.
    head: Parts,
    who: Who,
    /// Up to which change they were told.
    revision: u64,
    /// Of which history.
    restored: u64,
    events: mpsc::Sender<Bytes>,
}

impl Watcher {
    /// Tells everything there is.
    async fn tell(mut self, mut news: broadcast::Receiver<News>) {
        let mut changes = self.api.ledger.changes().clone();
        let mut ping = interval(PING);
        let mut told = self.catch_up().await;
        while told.is_some() {
            told = tokio::select! {
                one = news.recv() => match one {
                    Ok(News::Changed(record)) if record.revision == self.revision + 1 => {
                        self.change(Record::clone(&record)).await
                    }
                    // It was told, some were missed, or there is another history.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.catch_up().await,
                    Err(broadcast::error::RecvError::Closed) => None,
                },
                running = changes.changed() => match running {
                    Some(running) => self.event(|who| outcome(&running, who)).await,
                    None => None,
                },
                _ = ping.tick() => self.event(|_| Bytes::from_static(b": ping\n\n")).await,
                () = self.events.closed() => None,
            };
        }
    }

    /// Tells what is in the history. What is no longer there cannot be told: the client sees a gap
    /// in the numbers.
    async fn catch_up(&mut self) -> Option<()> {
        let state = self.api.ledger.state();
        // Numbers fall only when a backup was restored, perhaps before this process began.
        if state.restored != self.restored || state.revision < self.revision {
            (self.revision, self.restored) = (state.revision, state.restored);
            return self.event(|_| restored(state.revision)).await;
        }
        self.missed(state.revision).await.unwrap_or_else(|error| {
            // They come back, and hear then what is wrong.
            tracing::error!(%error, "somebody who watches cannot be told what was changed");
            None
        })
    }

    /// Tells the changes up to the one of a number that were not told.
    async fn missed(&mut self, last: u64) -> Result<Option<()>, ledger::Error> {
        if self.revision < last {
            let oldest = self.api.ledger.oldest().await?;
            let gone = oldest.map_or(last, |oldest| oldest.saturating_sub(1));
            self.revision = self.revision.max(gone);
        }
        while self.revision < last {
            let number = self.revision + 1;
            match self.api.ledger.record(number).await {
                Ok(record) => {
                    if self.change(record).await.is_none() {
                        return Ok(None);
                    }
                }
                // It has become too old meanwhile.
                Err(ledger::Error::NoRevision(_)) => {}
                Err(error) => return Err(error),
            }
            self.revision = number;
        }
        Ok(Some(()))
    }

    /// Tells a change, if anything of it is for them.
    async fn change(&mut self, record: Record) -> Option<()> {
        self.revision = record.revision;
        self.is_let_in().await?;
        match visible(&self.who, record) {
            Some(record) => self.send(revision(&record)).await,
            None => Some(()),
        }
    }

    /// Tells something that depends on who they are.
    async fn event(&mut self, event: impl FnOnce(&Who) -> Bytes) -> Option<()> {
        self.is_let_in().await?;
        self.send(event(&self.who)).await
    }

    /// Whether they are there, and would be let in if they asked now: credentials end, and rights
    /// change.
    async fn is_let_in(&mut self) -> Option<()> {
        if self.events.is_closed() {
            return None;
        }
        let guard = self.api.guard.load_full();
        let admission = guard.admit(&self.head, &peer(&self.head)).await.ok()?;
        admission.who.allows_somewhere(Verb::Watch, "revision").ok()?;
        self.who = admission.who;
        Some(())
    }

    async fn send(&self, event: Bytes) -> Option<()> {
        self.events.send_timeout(event, PATIENCE).await.ok()
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
fn outcome(running: &Running, who: &Who) -> Bytes {
    let data = json!({ "revision": running.revision(), "origins": origins(running, who) });
    event("outcome", None, &data)
}

fn event(name: &str, id: Option<u64>, data: &Value) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("event: {name}\n{id}data: {data}\n\n").into()
}
