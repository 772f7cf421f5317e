//! A body that goes out by a stream.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::HeaderMap;
use http_body::Body as HttpBody;
use portway_plugin::{Body, Error};
use tokio::time::{Instant, Sleep, sleep};

/// The bytes of a request that are kept until it is clear that the upstream takes it, so that it
/// can be sent to another one.
const REPLAYED: usize = 64 * 1024;

/// A body that goes out by a stream, no faster than the peer makes room.
pub(super) struct Outgoing {
    stream: SendStream<Bytes>,
    body: Body,
    /// What waits for room, and whether it is the body's last.
    waiting: Option<Bytes>,
    trailers: Option<HeaderMap>,
    ended: bool,
    /// What was taken from the body, as long as it may have to be sent again.
    taken: Option<Taken>,
    /// How long the peer may make no room.
    patience: Option<Duration>,
    // Made when the peer first makes no room: most never do.
    alarm: Option<Pin<Box<Sleep>>>,
}

#[derive(Default)]
struct Taken {
    chunks: Vec<Bytes>,
    bytes: usize,
}

/// Why a body did not come to its end.
pub(super) enum Broken {
    /// The body failed.
    Body(Error),
    /// The peer wants no more of it, or is gone.
    Refused,
    /// The peer made no room for too long.
    Stalled,
}

impl Outgoing {
    pub(super) fn new(stream: SendStream<Bytes>, body: Body) -> Self {
        let ended = body.is_end_stream();
        Self {
            stream,
            body,
            waiting: None,
            trailers: None,
            ended,
            taken: None,
            patience: None,
            alarm: None,
        }
    }

    /// Keeps the body's beginning, so that it can be taken back.
    pub(super) fn remember(mut self) -> Self {
        self.taken = Some(Taken::default());
        self
    }

    /// From now on the peer may make no room for so long.
    pub(super) fn limit(&mut self, patience: Option<Duration>) {
        self.patience = patience;
    }

    /// The body as it was, unless too much of it is gone.
    pub(super) fn take_back(self) -> Option<Body> {
        let taken = self.taken?;
        if taken.chunks.is_empty() && self.trailers.is_none() {
            return Some(self.body);
        }
        let replayed =
            Replayed { chunks: taken.chunks.into_iter(), trailers: self.trailers, rest: self.body };
        Some(Body::stream(replayed))
    }

    /// Nobody needs its beginning any more.
    pub(super) fn forget(&mut self) {
        self.taken = None;
    }

    /// Resets the stream: the peer must not take what it has for the whole.
    pub(super) fn reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }

    /// The stream, for something else than a body.
    pub(super) fn into_stream(self) -> SendStream<Bytes> {
        self.stream
    }

    /// Sends what there is, as far as the peer makes room.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        while !self.ended {
            if self.waiting.is_some() {
                ready!(self.poll_send(cx))?;
                continue;
            }
            if let Some(trailers) = self.trailers.take() {
                self.ended = true;
                self.stream.send_trailers(trailers).map_err(|_| Broken::Refused)?;
                break;
            }
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                // A peer that wants no more says so.
                if self.stream.poll_reset(cx).is_ready() {
                    return Poll::Ready(Err(Broken::Refused));
                }
                return Poll::Pending;
            };
            match frame {
                None => {
                    self.ended = true;
                    self.stream.send_data(Bytes::new(), true).map_err(|_| Broken::Refused)?;
                }
                Some(Err(error)) => return Poll::Ready(Err(Broken::Body(error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() && !self.body.is_end_stream() => {}
                    Ok(data) => self.offer(data)?,
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends a chunk if there is room for all of it, else lets it wait.
    fn offer(&mut self, data: Bytes) -> Result<(), Broken> {
        self.keep(&data);
        self.stream.reserve_capacity(data.len());
        if data.len() > self.stream.capacity() {
            self.waiting = Some(data);
            return Ok(());
        }
        self.ended = self.body.is_end_stream();
        self.stream.send_data(data, self.ended).map_err(|_| Broken::Refused)
    }

    fn keep(&mut self, data: &Bytes) {
        let Some(taken) = &mut self.taken else { return };
        taken.bytes += data.len();
        if taken.bytes > REPLAYED {
            self.taken = None;
        } else {
            taken.chunks.push(data.clone());
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let room = match self.stream.poll_capacity(cx) {
            Poll::Ready(Some(Ok(room))) => room,
            Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(Err(Broken::Refused)),
            Poll::Pending => return self.poll_stalled(cx).map(Err),
        };
        self.alarm = None;
        let Some(data) = &mut self.waiting else { return Poll::Ready(Ok(())) };
        let part = data.split_to(room.min(data.len()));
        let last = data.is_empty();
        if last {
            self.waiting = None;
            self.ended = self.body.is_end_stream();
        }
        Poll::Ready(self.stream.send_data(part, self.ended).map_err(|_| Broken::Refused))
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        if self.stream.poll_reset(cx).is_ready() {
            return Poll::Ready(Broken::Refused);
        }
        let Some(patience) = self.patience else { return Poll::Pending };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(patience)));
        if alarm.deadline() > Instant::now() + patience {
            alarm.as_mut().reset(Instant::now() + patience);
        }
        alarm.as_mut().poll(cx).map(|()| Broken::Stalled)
    }
}

/// A body whose beginning was taken once already.
struct Replayed {
    chunks: std::vec::IntoIter<Bytes>,
    trailers: Option<HeaderMap>,
    rest: Body,
}

impl HttpBody for Replayed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if let Some(chunk) = this.chunks.next() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(chunk))));
        }
        if let Some(trailers) = this.trailers.take() {
            return Poll::Ready(Some(Ok(http_body::Frame::trailers(trailers))));
        }
        Pin::new(&mut this.rest).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.as_slice().is_empty() && self.trailers.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        let ahead: usize = self.chunks.as_slice().iter().map(Bytes::len).sum();
        match self.rest.size_hint().exact() {
            Some(rest) => http_body::SizeHint::with_exact(rest + ahead as u64),
            None => http_body::SizeHint::default(),
        }
    }
}
