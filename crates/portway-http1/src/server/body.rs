//! A request's body as a service has it.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::link::Peer;
use crate::error::BodyError;

/// A request's body. It reads from the connection when it is polled, and not before. Dropped
/// early, what is left of it is drained within the connection's limits, or the connection closed.
#[derive(Default)]
pub struct Body(Option<Source>);

struct Source {
    peer: Arc<dyn Peer>,
    number: u64,
    left: Option<u64>,
    is_end: bool,
}

impl Body {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self(None)
    }

    pub(super) fn new(peer: Arc<dyn Peer>, number: u64, left: Option<u64>) -> Self {
        Self(Some(Source { peer, number, left, is_end: false }))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(source) = &mut self.get_mut().0 else { return Poll::Ready(None) };
        if source.is_end {
            return Poll::Ready(None);
        }
        let step = ready!(source.peer.poll_body(source.number, cx));
        source.is_end = step.is_end;
        source.left = step.left;
        Poll::Ready(step.frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|source| source.is_end)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            None => SizeHint::with_exact(0),
            Some(source) => source.left.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if !self.is_end {
            self.peer.drop_body(self.number);
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_none() { "Body(empty)" } else { "Body(stream)" })
    }
}
