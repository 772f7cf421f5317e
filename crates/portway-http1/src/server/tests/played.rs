//! A body that a test plays part by part.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Answer;
use crate::error::BodyError;

/// Where its parts are said. Dropped, the body ends.
pub(super) struct Player(UnboundedSender<Result<Frame<Bytes>, BodyError>>);

/// A body that says what size it has, whatever comes.
struct Played {
    parts: UnboundedReceiver<Result<Frame<Bytes>, BodyError>>,
    size: Option<u64>,
}

/// An answer with such a body.
pub(super) fn played(size: Option<u64>) -> (Player, Answer) {
    let (player, parts) = unbounded_channel();
    (Player(player), Response::new(Played { parts, size }.boxed_unsync()))
}

impl Player {
    pub(super) fn data(&self, data: impl Into<Bytes>) -> &Self {
        self.part(Ok(Frame::data(data.into())))
    }

    pub(super) fn trailer(&self, name: &'static str, value: &'static str) -> &Self {
        let field = (HeaderName::from_static(name), HeaderValue::from_static(value));
        self.part(Ok(Frame::trailers(HeaderMap::from_iter([field]))))
    }

    pub(super) fn fail(&self) -> &Self {
        self.part(Err(BodyError::Incomplete))
    }

    /// Resolves when nobody wants the body any more.
    pub(super) async fn dropped(&self) {
        self.0.closed().await;
    }

    fn part(&self, part: Result<Frame<Bytes>, BodyError>) -> &Self {
        self.0.send(part).expect("the body is wanted");
        self
    }
}

impl Body for Played {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.parts.poll_recv(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.size.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
