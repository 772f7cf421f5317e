//! Bodies whose frames are there already.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use portway_plugin::{Body, Error};

struct Frames(VecDeque<Frame<Bytes>>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

/// A body of these pieces, with trailers behind them.
pub(super) fn body(pieces: &[&[u8]], trailers: Option<HeaderMap>) -> Body {
    let data = pieces.iter().map(|piece| Frame::data(Bytes::copy_from_slice(piece)));
    Body::stream(Frames(data.chain(trailers.map(Frame::trailers)).collect()))
}

/// What a body has to give, which is data alone, and whether it ended well.
pub(super) fn read(mut body: Body) -> (Vec<Bytes>, bool) {
    let mut data = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let part = frame.into_data().expect("data alone");
                assert!(!part.is_empty());
                data.push(part);
            }
            Poll::Ready(end) => {
                let next = Pin::new(&mut body).poll_frame(&mut cx);
                assert!(matches!(next, Poll::Ready(None)), "an end is an end");
                return (data, end.is_none());
            }
            Poll::Pending => panic!("everything is there"),
        }
    }
}
