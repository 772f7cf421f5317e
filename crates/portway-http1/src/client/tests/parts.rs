//! A request's body that a test plays part by part.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Where its parts are said. Dropped, the body ends.
pub(super) type Player = UnboundedSender<Result<Bytes, Failed>>;

/// What a body fails with.
#[derive(Debug)]
pub(super) struct Failed;

/// A body that says what size it has, whatever comes.
#[derive(Debug, Default)]
pub(super) struct Played {
    parts: Option<UnboundedReceiver<Result<Bytes, Failed>>>,
    size: Option<u64>,
}

pub(super) fn played(size: Option<u64>) -> (Player, Played) {
    let (player, parts) = unbounded_channel();
    (player, Played { parts: Some(parts), size })
}

impl Body for Played {
    type Data = Bytes;
    type Error = Failed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
        let Some(parts) = &mut self.parts else { return Poll::Ready(None) };
        parts.poll_recv(cx).map(|part| part.map(|part| part.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.size.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// So many bytes of a kind, in pieces of 10 000.
#[derive(Debug, Default)]
pub(super) struct Many {
    pub(super) left: usize,
}

impl Body for Many {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let here = self.left.min(10_000);
        self.left -= here;
        let data = Bytes::from_static(&[b'u'; 10_000]).slice(..here);
        Poll::Ready((here > 0).then(|| Ok(Frame::data(data))))
    }
}
