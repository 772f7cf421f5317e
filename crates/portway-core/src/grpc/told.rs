//! A call of gRPC always says how it ended, also when its upstream does not.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use portway_plugin::{Body, Error};

use super::status::{Code, STATUS, ending};

/// The body of an answer whose head does not say how the call ended. Where its trailers do not say
/// so either, what has come may be half of it: the client is told that nobody knows.
pub(super) struct Told {
    body: Body,
    ended: bool,
}

impl Told {
    pub(super) fn new(body: Body) -> Self {
        Self { body, ended: false }
    }
}

/// How a call ended of which nobody has said so.
pub(super) fn untold() -> HeaderMap {
    ending(Code::Unknown, "the upstream did not say how the call ended")
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) if frame.is_data() => return Poll::Ready(Some(Ok(frame))),
            Some(Ok(frame)) => frame.into_trailers().unwrap_or_default(),
            Some(Err(error)) => {
                this.ended = true;
                return Poll::Ready(Some(Err(error)));
            }
            None => HeaderMap::new(),
        };
        this.ended = true;
        let mut trailers = frame;
        if !trailers.contains_key(STATUS) {
            trailers.extend(untold());
        }
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
