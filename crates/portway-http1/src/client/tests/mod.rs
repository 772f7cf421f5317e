//! A connection at the other end of a pipe, on a paused clock.

mod clock;
mod early;
mod flush;
mod heads;
mod interim;
mod parts;
mod reuse;
mod stale;
mod upstream;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{DuplexStream, duplex};

use super::{Answer, Connection, Download, Failure, Home, Options};
use crate::{error::BodyError, limits::HeadLimits};

use upstream::Upstream;

type Text = Full<Bytes>;

/// A connection, and its upstream behind a pipe that holds so many bytes.
fn connect(room: usize) -> (Connection<DuplexStream>, Upstream) {
    let (here, there) = duplex(room);
    (Connection::new(here, HeadLimits::default()), Upstream::new(there))
}

/// A request for `/`, with such a body.
fn request<B>(method: Method, body: B) -> Request<B> {
    Request::builder().method(method).uri("/").header("host", "a").body(body).unwrap()
}

fn get() -> Request<Text> {
    request(Method::GET, Text::default())
}

/// Keeps the connection that is given back.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<Mutex<Option<Connection<DuplexStream>>>>);

impl Shelf {
    fn take(&self) -> Option<Connection<DuplexStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl Home<DuplexStream> for Shelf {
    fn give_back(self, connection: Connection<DuplexStream>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}

/// What was read of an answer's body.
#[derive(Debug)]
struct Read {
    data: Vec<u8>,
    trailers: HeaderMap,
    error: Option<BodyError>,
    /// The connection, if it was given back.
    connection: Option<Connection<DuplexStream>>,
}

/// Reads a body as servers do: not a poll more than up to its end. By then the connection is home,
/// or will never be.
async fn read(mut body: Download<DuplexStream, Shelf>, shelf: &Shelf) -> Read {
    use http_body::Body as _;
    let (mut data, mut trailers, mut error) = (Vec::new(), HeaderMap::new(), None);
    while !body.is_end_stream() && error.is_none() {
        assert!(shelf.is_empty(), "given back before its end");
        match body.frame().await {
            None => break,
            Some(Err(here)) => error = Some(here),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(here) => data.extend_from_slice(&here),
                Err(frame) => trailers = frame.into_trailers().unwrap(),
            },
        }
    }
    let connection = shelf.take();
    drop(body);
    assert!(shelf.is_empty(), "given back too late");
    Read { data, trailers, error, connection }
}
