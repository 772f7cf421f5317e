//! A body that comes by a stream.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use portway_plugin::Error;

/// What lives as long as a body that comes by a stream.
pub(super) trait Kept: Send + Unpin + 'static {
    /// Somebody begins to read it.
    fn begun(&mut self) {}

    /// Nobody reads the rest.
    fn left(&mut self, rest: RecvStream) {
        drop(rest);
    }
}

/// A body that comes by a stream. What is taken makes room for more (RFC 9113 section 5.2); what
/// is not taken leaves the sender waiting.
pub(super) struct Incoming<K: Kept> {
    /// Always there until it is dropped.
    stream: Option<RecvStream>,
    left: Option<u64>,
    error: fn(h2::Error) -> Error,
    begun: bool,
    data_ended: bool,
    kept: K,
}

impl<K: Kept> Incoming<K> {
    /// The body behind a head with these fields; `kept` lives as long. That it is as long as the
    /// head says, h2 sees to.
    pub(super) fn new(
        stream: RecvStream,
        headers: &HeaderMap,
        error: fn(h2::Error) -> Error,
        kept: K,
    ) -> Self {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let left = length.and_then(|length| length.parse().ok());
        Self { stream: Some(stream), left, error, begun: false, data_ended: false, kept }
    }
}

impl<K: Kept> HttpBody for Incoming<K> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if !this.begun {
            this.begun = true;
            this.kept.begun();
        }
        let Some(stream) = &mut this.stream else { return Poll::Ready(None) };
        while !this.data_ended {
            match ready!(stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // It fails only for more than was received.
                    let _ = stream.flow_control().release_capacity(data.len());
                    if data.is_empty() && !stream.is_end_stream() {
                        continue;
                    }
                    this.left = this.left.map(|left| left.saturating_sub(data.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err((this.error)(error)))),
                None => this.data_ended = true,
            }
        }
        match ready!(stream.poll_trailers(cx)) {
            Ok(trailers) => Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
            Err(error) => Poll::Ready(Some(Err((this.error)(error)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stream.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl<K: Kept> Drop for Incoming<K> {
    fn drop(&mut self) {
        if let Some(rest) = self.stream.take().filter(|stream| !stream.is_end_stream()) {
            self.kept.left(rest);
        }
    }
}
