//! Several ranges in one answer: `multipart/byteranges` (RFC 9110 section 14.6).

use std::{
    future::Future,
    ops::RangeInclusive,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderValue;
use http_body::{Body as HttpBody, Frame, SizeHint};
use portway_plugin::{Body, Error, Result};

use super::ranges::length;

/// What opens a range of the file.
pub(super) type Open = Box<dyn FnMut(RangeInclusive<u64>) -> Opening + Send>;
/// A range while it is opened.
pub(super) type Opening = Pin<Box<dyn Future<Output = Result<Body>> + Send>>;

/// The ranges of a file, one after the other. Only the one that is being sent is open.
pub(super) struct Multipart {
    parts: std::vec::IntoIter<Part>,
    end: Option<Bytes>,
    open: Open,
    state: State,
    left: u64,
}

struct Part {
    head: Bytes,
    range: RangeInclusive<u64>,
}

enum State {
    Between,
    Opening(Opening),
    Sending(Body),
}

impl Multipart {
    /// The ranges of a file of `size` bytes, each of which says that it is of the type `kind`.
    /// `boundary` must occur in none of them.
    pub(super) fn new(
        ranges: Vec<RangeInclusive<u64>>,
        size: u64,
        kind: Option<&HeaderValue>,
        boundary: &str,
        open: Open,
    ) -> Self {
        let kind = kind.and_then(|kind| kind.to_str().ok());
        let kind = kind.map(|kind| format!("Content-Type: {kind}\r\n")).unwrap_or_default();
        let parts = ranges.into_iter().enumerate().map(|(at, range)| {
            let line = if at == 0 { "" } else { "\r\n" };
            let (first, last) = (range.start(), range.end());
            let head = format!(
                "{line}--{boundary}\r\n{kind}Content-Range: bytes {first}-{last}/{size}\r\n\r\n"
            );
            Part { head: head.into(), range }
        });
        let parts: Vec<_> = parts.collect();
        let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        let parts_length = |part: &Part| part.head.len() as u64 + length(&part.range);
        let left = parts.iter().map(parts_length).sum::<u64>() + end.len() as u64;
        Self { parts: parts.into_iter(), end: Some(end), open, state: State::Between, left }
    }

    /// How many bytes are still to be sent.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            match &mut self.state {
                State::Between => {
                    let Some(part) = self.parts.next() else {
                        return Poll::Ready(self.end.take().map(Ok));
                    };
                    self.state = State::Opening((self.open)(part.range));
                    return Poll::Ready(Some(Ok(part.head)));
                }
                State::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Ok(body) => self.state = State::Sending(body),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                State::Sending(body) => match ready!(Pin::new(body).poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            return Poll::Ready(Some(Ok(data)));
                        }
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => self.state = State::Between,
                },
            }
        }
    }
}

impl HttpBody for Multipart {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let data = ready!(this.poll_data(cx));
        if let Some(Ok(data)) = &data {
            this.left = this.left.saturating_sub(data.len() as u64);
        }
        Poll::Ready(data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
