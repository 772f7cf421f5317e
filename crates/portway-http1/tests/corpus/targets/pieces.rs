//! A body in pieces.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::wire::Cuts;

/// A body in pieces that come now and then.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    frames: VecDeque<Frame<Bytes>>,
    /// Its size, if it says so.
    left: Option<u64>,
    cuts: Cuts,
}

impl Pieces {
    /// A body that knows its size.
    pub(crate) fn sized(data: &[u8], cuts: Cuts) -> Self {
        let mut body = Self::unsized_with(data, None, cuts);
        body.left = Some(data.len() as u64);
        body
    }

    /// A body that does not, with trailers behind it.
    pub(crate) fn unsized_with(data: &[u8], trailers: Option<HeaderMap>, cuts: Cuts) -> Self {
        let (mut rest, mut cutting) = (Bytes::copy_from_slice(data), cuts);
        let mut frames = VecDeque::new();
        while !rest.is_empty() {
            let here = cutting.piece(rest.len());
            frames.push_back(Frame::data(rest.split_to(here)));
        }
        frames.extend(trailers.map(Frame::trailers));
        Self { frames, left: None, cuts }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.cuts.pause() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = this.frames.pop_front();
        if let (Some(left), Some(data)) = (&mut this.left, frame.as_ref().and_then(Frame::data_ref))
        {
            *left -= data.len() as u64;
        }
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_some() && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
