//! Bodies whose every byte says where it stands.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;

const SUM: HeaderName = HeaderName::from_static("x-sum");

fn byte(at: usize) -> u8 {
    u8::try_from(at % 251).expect("less than 251")
}

/// A body of so many bytes, which comes in pieces and has to be waited for in between.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    at: usize,
    size: usize,
    /// It says its size beforehand; else it has a trailer.
    sized: bool,
    waited: bool,
    ended: bool,
}

impl Pattern {
    pub(super) fn new(size: usize, sized: bool) -> Self {
        Self { size, sized, ..Self::default() }
    }
}

impl Body for Pattern {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let here = (self.size - self.at).min(70);
        if here > 0 {
            let data = (self.at..self.at + here).map(byte).collect();
            self.at += here;
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if self.sized || std::mem::replace(&mut self.ended, true) {
            return Poll::Ready(None);
        }
        let trailers = HeaderMap::from_iter([(SUM, HeaderValue::from(self.size))]);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized {
            SizeHint::with_exact((self.size - self.at) as u64)
        } else {
            SizeHint::default()
        }
    }
}

/// How much of such a body came, and whether it came to its end. What came is right, or it panics.
pub(super) async fn read<B>(mut body: B, size: usize, sized: bool) -> (usize, bool)
where
    B: Body<Data = Bytes> + Unpin,
{
    let (mut at, mut sum) = (0, None);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (at, false) };
        match frame.into_data() {
            Ok(data) => {
                assert!(data.iter().copied().eq((at..at + data.len()).map(byte)), "at {at}");
                at += data.len();
            }
            Err(frame) => {
                sum = frame.trailers_ref().and_then(|trailers| trailers.get(SUM)).cloned();
            }
        }
    }
    assert_eq!(at, size, "a clean end is the end");
    assert_eq!(sum, (!sized).then(|| HeaderValue::from(size)));
    (at, true)
}
