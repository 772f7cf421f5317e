//! A body that is counted while it passes.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use portway_plugin::{Body, Error};

/// What is answered for a body beyond the limit. The rest of it is not read, so the connection
/// cannot be used again.
pub(super) fn too_large(max: u64) -> Error {
    let message = format!("the request body is larger than {max} bytes");
    Error::client(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message).closing()
}

/// A body that fails when it turns out to be too large.
pub(super) struct Counted {
    pub(super) body: Body,
    pub(super) max: u64,
    pub(super) seen: u64,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if this.seen > this.max {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.seen = this.seen.saturating_add(data.len() as u64);
            if this.seen > this.max {
                return Poll::Ready(Some(Err(too_large(this.max))));
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.seen > self.max || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
