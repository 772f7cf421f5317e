//! The bodies that the echo upstream answers with.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The first bytes of every answer to `?bytes=`, over and over.
const LINE: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";

/// A body of many bytes is sent in pieces of this many, a multiple of the line.
const PIECE: usize = 256 * LINE.len();
static SAMPLE: [u8; PIECE] = sample_piece();

/// The body of an answer to `?bytes=length`.
#[must_use]
pub fn sample(length: usize) -> Bytes {
    LINE.iter().copied().cycle().take(length).collect()
}

/// The data of one event of the echo upstream, in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tick {
    /// Counts the events of one stream from 0.
    pub count: u64,
    /// When it was sent, in milliseconds since 1970.
    pub sent_unix_ms: u64,
}

/// A body, its trailers, and the exchange that it ends.
pub(super) struct Payload {
    content: Content,
    chunked: bool,
    pub(super) trailers: Option<HeaderMap>,
    exchange: Exchange,
}

/// What a body is made of.
pub(super) enum Content {
    Whole(Bytes),
    Sample { left: u64 },
    Events(Events),
}

/// A row of events.
pub(super) struct Events {
    interval: Interval,
    count: u64,
    /// `None` is without end.
    left: Option<u64>,
    stopping: watch::Receiver<bool>,
}

/// One request: counted as abandoned unless its answer was taken to the end.
pub(super) struct Exchange {
    pub(super) abandoned: Arc<AtomicU64>,
    pub(super) done: bool,
}

impl Payload {
    pub(super) fn new(
        content: Content,
        chunked: bool,
        trailers: Option<HeaderMap>,
        exchange: Exchange,
    ) -> Self {
        let mut payload = Self { content, chunked, trailers, exchange };
        // Nobody takes a body in which there is nothing.
        payload.exchange.done |= payload.spent();
        payload
    }

    /// Whether there is nothing more to send.
    fn spent(&self) -> bool {
        self.trailers.is_none()
            && match &self.content {
                Content::Whole(bytes) => bytes.is_empty(),
                Content::Sample { left } => *left == 0,
                Content::Events(events) => events.left == Some(0),
            }
    }
}

impl Content {
    /// The next piece; `None` at the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        Poll::Ready(match self {
            Self::Whole(bytes) => Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty()),
            Self::Sample { left: 0 } => None,
            Self::Sample { left } => {
                let length = usize::try_from(*left).unwrap_or(PIECE).min(PIECE);
                *left -= length as u64;
                Some(Bytes::from_static(&SAMPLE[..length]))
            }
            Self::Events(events) => ready!(events.poll_event(cx)),
        })
    }
}

impl Events {
    pub(super) fn new(left: Option<u64>, every: Duration, stopping: watch::Receiver<bool>) -> Self {
        // An interval of zero is refused by tokio; one millisecond is as good.
        let mut interval = interval(every.max(Duration::from_millis(1)));
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { interval, count: 0, left, stopping }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.left == Some(0) || *self.stopping.borrow() {
            self.left = Some(0);
            return Poll::Ready(None);
        }
        ready!(self.interval.poll_tick(cx));
        let (count, sent) = (self.count, unix_millis());
        self.count += 1;
        self.left = self.left.map(|left| left - 1);
        let event = format!("id: {count}\ndata: {{\"count\":{count},\"sent_unix_ms\":{sent}}}\n\n");
        Poll::Ready(Some(event.into()))
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = ready!(self.content.poll_piece(cx)).map(Frame::data);
        let frame = piece.or_else(|| self.trailers.take().map(Frame::trailers));
        // Not only at the end: nobody asks for more once the announced length is there.
        self.exchange.done |= self.spent();
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.spent()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            // Trailers need a body whose length is not announced.
            _ if self.chunked || self.trailers.is_some() => SizeHint::default(),
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Sample { left } => SizeHint::with_exact(*left),
            Content::Events(_) => SizeHint::default(),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.done {
            self.abandoned.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The wall clock, which two processes on one machine share.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

const fn sample_piece() -> [u8; PIECE] {
    let mut piece = [0; PIECE];
    let mut at = 0;
    while at < PIECE {
        piece[at] = LINE[at % LINE.len()];
        at += 1;
    }
    piece
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_sample_has_its_length_and_its_bytes_also_over_several_pieces() {
        for length in [0, 1, PIECE, PIECE + 1, 3 * PIECE - 1] {
            let exchange = Exchange { abandoned: Arc::default(), done: false };
            let abandoned = Arc::clone(&exchange.abandoned);
            let content = Content::Sample { left: length as u64 };
            let payload = Payload::new(content, false, None, exchange);
            assert_eq!(payload.size_hint().exact(), Some(length as u64));
            assert_eq!(payload.collect().await.unwrap().to_bytes(), sample(length));
            assert_eq!(abandoned.load(Ordering::Relaxed), 0);
        }
    }
}
