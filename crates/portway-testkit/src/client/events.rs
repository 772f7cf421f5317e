//! A reader of Server-Sent Events that notes when each event arrived.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;

use super::Client;
use crate::deadline::{DEADLINE, within};
use crate::echo::{Tick, unix_millis};

/// One stream of events.
pub struct EventStream {
    headers: HeaderMap,
    body: Incoming,
    buffer: BytesMut,
    deadline: Duration,
}

/// One event and the time of its arrival.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The `event` field.
    pub name: Option<String>,
    /// The `id` field.
    pub id: Option<String>,
    /// The `data` fields, one line each.
    pub data: String,
    /// When its last byte was there.
    pub arrived: Instant,
    /// The same by the wall clock, in milliseconds since 1970.
    pub arrived_unix_ms: u64,
}

impl EventStream {
    /// Opens a stream at a path and its query. An answer other than 200 is an error.
    pub async fn open(addr: SocketAddr, path: &str) -> io::Result<Self> {
        Self::open_with(&Client::h1(addr), path).await
    }

    /// Opens a stream over the connection of a client.
    pub async fn open_with(client: &Client, path: &str) -> io::Result<Self> {
        let request = Request::get(path)
            .header(header::ACCEPT, HeaderValue::from_static("text/event-stream"))
            .body(Empty::<Bytes>::new())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Self::over(client.open(request).await?)
    }

    /// Reads the stream of an answer that is there already.
    pub fn over(response: http::Response<Incoming>) -> io::Result<Self> {
        let (head, body) = response.into_parts();
        if head.status != 200 {
            return Err(io::Error::other(format!("the events were refused: {}", head.status)));
        }
        Ok(Self { headers: head.headers, body, buffer: BytesMut::new(), deadline: DEADLINE })
    }

    /// Waits this long for each event, in the place of [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The next event; `None` when the stream has ended as it should.
    pub async fn next(&mut self) -> io::Result<Option<Event>> {
        within(self.deadline, "event", async {
            loop {
                if let Some(event) = take_event(&mut self.buffer) {
                    return Ok(Some(event));
                }
                match self.body.frame().await.transpose().map_err(io::Error::other)? {
                    Some(frame) => {
                        self.buffer.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
                    }
                    None => return Ok(None),
                }
            }
        })
        .await
    }
}

impl Event {
    /// How long an event of the echo upstream was on its way, by the clock of this machine.
    pub fn delay(&self) -> io::Result<Duration> {
        let sent = self.tick()?.sent_unix_ms;
        Ok(Duration::from_millis(self.arrived_unix_ms.saturating_sub(sent)))
    }

    /// The data of an event of the echo upstream.
    pub fn tick(&self) -> io::Result<Tick> {
        serde_json::from_str(&self.data).map_err(io::Error::from)
    }
}

/// Takes the first whole event out of the buffer. Comments and fields of other names, among
/// them `retry`, are passed over; so is an event without data.
fn take_event(buffer: &mut BytesMut) -> Option<Event> {
    loop {
        let end = buffer.windows(2).position(|pair| pair == b"\n\n")? + 2;
        let block = buffer.split_to(end);
        let (mut name, mut id, mut data) = (None, None, Vec::new());
        for line in String::from_utf8_lossy(&block).lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "event" => name = Some(value),
                "id" => id = Some(value),
                "data" => data.push(value),
                _ => {}
            }
        }
        if !data.is_empty() {
            let (arrived, arrived_unix_ms) = (Instant::now(), unix_millis());
            return Some(Event { name, id, data: data.join("\n"), arrived, arrived_unix_ms });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_out_whole() {
        let text = ": hello\n\nevent: a\nid: 1\ndata: x\ndata:y\nretry: 5\n\ndata: half";
        let mut buffer = BytesMut::from(text);
        let event = take_event(&mut buffer).unwrap();
        assert_eq!((event.name.as_deref(), event.id.as_deref()), (Some("a"), Some("1")));
        assert_eq!(event.data, "x\ny");
        assert!(take_event(&mut buffer).is_none());
        buffer.extend_from_slice(b"\n\n");
        assert_eq!(take_event(&mut buffer).unwrap().data, "half");
    }
}
