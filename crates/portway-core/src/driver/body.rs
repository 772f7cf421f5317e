//! A body of the wire, with its errors as ours.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use portway_plugin::{Body, Error};

/// A body of the wire as the chain sees it; `kept` lives as long. One that is empty costs nothing.
pub(super) fn ours<B, K>(body: B, error: fn(B::Error) -> Error, kept: K) -> Body
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: 'static,
    K: Send + Unpin + 'static,
{
    if body.is_end_stream() {
        Body::empty()
    } else {
        Body::stream(Ours { body, error, _kept: kept })
    }
}

struct Ours<B: HttpBody, K> {
    body: B,
    error: fn(B::Error) -> Error,
    _kept: K,
}

impl<B, K> HttpBody for Ours<B, K>
where
    B: HttpBody<Data = Bytes> + Unpin,
    K: Unpin,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let error = self.error;
        Pin::new(&mut self.body).poll_frame(cx).map_err(error)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
