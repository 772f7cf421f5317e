//! Bodies: streams of bytes with back-pressure, boxed only when there is something to stream.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::Error;

/// The body of a request or an answer. Empty and buffered bodies cost no allocation.
pub struct Body(Kind);

enum Kind {
    Empty,
    Full(Option<Bytes>),
    /// Bytes that were read into memory, and the trailers that came after them.
    Read(Option<Bytes>, Option<Box<HeaderMap>>),
    Stream(Pin<Box<dyn HttpBody<Data = Bytes, Error = Error> + Send>>),
    /// With something that lives as long as the body does.
    Kept(Box<(Body, Box<dyn Send>)>),
    /// Read in part by somebody who then gave up: whoever reads it is told, so that no one takes
    /// the rest, or nothing, for all of it.
    Lost,
}

/// Why a body could not be read into memory.
#[derive(Debug)]
pub enum Overflow {
    /// It is longer than was allowed.
    TooLong,
    /// It failed on the way.
    Failed(Error),
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// A body that comes in parts.
    pub fn stream(body: impl HttpBody<Data = Bytes, Error = Error> + Send + 'static) -> Self {
        Self(Kind::Stream(Box::pin(body)))
    }

    /// Another body of the same content, where that is possible: an empty or a buffered one.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match &self.0 {
            Kind::Empty => Some(Self::empty()),
            Kind::Full(bytes) => Some(Self(Kind::Full(bytes.clone()))),
            Kind::Read(bytes, trailers) => Some(Self(Kind::Read(bytes.clone(), trailers.clone()))),
            Kind::Stream(_) | Kind::Lost => None,
            Kind::Kept(kept) => kept.0.try_clone(),
        }
    }

    /// The same body, with `guard` dropped when the body is: after its last byte, or when nobody
    /// wants it any more.
    #[must_use]
    pub fn keep(self, guard: impl Send + 'static) -> Self {
        Self(Kind::Kept(Box::new((self, Box::new(guard)))))
    }

    /// Reads the rest of the body into memory, where it stays.
    ///
    /// # Errors
    /// It is longer than `cap` bytes, or fails. What was read is lost then, and so it is when the
    /// future is dropped: a body that was read in part fails for whoever reads it next.
    pub async fn buffer(&mut self, cap: usize) -> Result<Bytes, Overflow> {
        match &mut self.0 {
            Kind::Empty => return Ok(Bytes::new()),
            Kind::Full(bytes) | Kind::Read(bytes, _) => {
                let bytes = bytes.clone().unwrap_or_default();
                return if bytes.len() <= cap { Ok(bytes) } else { Err(Overflow::TooLong) };
            }
            Kind::Kept(kept) => return Box::pin(kept.0.buffer(cap)).await,
            Kind::Lost => return Err(Overflow::Failed(lost())),
            Kind::Stream(_) => {}
        }
        if self.size_hint().lower() > cap as u64 {
            return Err(Overflow::TooLong);
        }
        let (mut first, mut whole, mut trailers) = (Bytes::new(), BytesMut::new(), None);
        let mut stream = std::mem::replace(self, Self(Kind::Lost));
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut stream).poll_frame(cx)).await {
            let frame = frame.map_err(Overflow::Failed)?;
            match frame.into_data() {
                Ok(data) if first.len() + whole.len() + data.len() > cap => {
                    return Err(Overflow::TooLong);
                }
                // Most bodies that are read whole come in one piece, which is kept as it is.
                Ok(data) if first.is_empty() && whole.is_empty() => first = data,
                Ok(data) => {
                    if whole.is_empty() {
                        whole.extend_from_slice(&std::mem::take(&mut first));
                    }
                    whole.extend_from_slice(&data);
                }
                Err(frame) => trailers = frame.into_trailers().ok().map(Box::new),
            }
        }
        let bytes = if whole.is_empty() { first } else { whole.freeze() };
        *self = match trailers {
            None => bytes.clone().into(),
            trailers => Self(Kind::Read(Some(bytes.clone()), trailers)),
        };
        Ok(bytes)
    }
}

fn lost() -> Error {
    Error::gateway("body_lost", "the body was read in part, and is gone")
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Kind::Empty } else { Kind::Full(Some(bytes)) })
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.get_mut().0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Read(bytes, trailers) => {
                let data = bytes.take().filter(|bytes| !bytes.is_empty()).map(Frame::data);
                let frame = data.or_else(|| trailers.take().map(|fields| Frame::trailers(*fields)));
                Poll::Ready(frame.map(Ok))
            }
            Kind::Stream(body) => body.as_mut().poll_frame(cx),
            Kind::Kept(kept) => Pin::new(&mut kept.0).poll_frame(cx),
            Kind::Lost => Poll::Ready(Some(Err(lost()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(bytes) => bytes.is_none(),
            Kind::Read(bytes, trailers) => bytes.is_none() && trailers.is_none(),
            Kind::Stream(body) => body.is_end_stream(),
            Kind::Kept(kept) => kept.0.is_end_stream(),
            Kind::Lost => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) | Kind::Read(bytes, _) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Kind::Stream(body) => body.size_hint(),
            Kind::Kept(kept) => kept.0.size_hint(),
            Kind::Lost => SizeHint::default(),
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::Empty => f.write_str("Body(empty)"),
            Kind::Full(_) | Kind::Read(..) => f.write_str("Body(buffered)"),
            Kind::Stream(_) => f.write_str("Body(stream)"),
            Kind::Kept(kept) => kept.0.fmt(f),
            Kind::Lost => f.write_str("Body(lost)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    /// Parts, then trailers.
    struct Parts(Vec<&'static str>, Option<HeaderMap>);

    impl HttpBody for Parts {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            let frame = if self.0.is_empty() {
                self.1.take().map(Frame::trailers)
            } else {
                Some(Frame::data(Bytes::from_static(self.0.remove(0).as_bytes())))
            };
            Poll::Ready(frame.map(Ok))
        }
    }

    /// Nothing here waits for anybody.
    fn now<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        match future.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn a_buffered_body_can_be_read_again_with_its_trailers() {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        let mut body = Body::stream(Parts(vec!["ab", "c"], Some(trailers)));
        assert!(body.try_clone().is_none());
        for _ in 0..2 {
            assert_eq!(now(body.buffer(3)).unwrap(), "abc");
        }
        let mut clone = body.try_clone().expect("it is in memory");
        let frame = now(poll_fn(|cx| Pin::new(&mut clone).poll_frame(cx)));
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), "abc");
        let frame = now(poll_fn(|cx| Pin::new(&mut clone).poll_frame(cx)));
        assert_eq!(frame.unwrap().unwrap().into_trailers().unwrap()["grpc-status"], "0");
        assert!(clone.is_end_stream());
    }

    #[test]
    fn a_body_above_the_cap_is_refused() {
        let mut body = Body::stream(Parts(vec!["ab", "cd"], None));
        assert!(matches!(now(body.buffer(3)), Err(Overflow::TooLong)));
        // Nobody takes what is left for all of it.
        assert!(matches!(now(body.buffer(3)), Err(Overflow::Failed(_))));
        assert!(!body.is_end_stream());
        let frame = now(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)));
        assert_eq!(frame.unwrap().unwrap_err().code(), "body_lost");
        let mut body = Body::from("abcd".to_owned());
        assert!(matches!(now(body.buffer(3)), Err(Overflow::TooLong)));
    }

    #[test]
    fn what_is_kept_goes_with_the_body() {
        struct Flag(Arc<AtomicBool>);
        impl Drop for Flag {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let gone = Arc::new(AtomicBool::new(false));
        let mut body = Body::from("abc".to_owned()).keep(Flag(Arc::clone(&gone)));
        assert_eq!(now(body.buffer(3)).unwrap(), "abc");
        assert!(!gone.load(Ordering::Relaxed));
        drop(body);
        assert!(gone.load(Ordering::Relaxed));
    }
}
