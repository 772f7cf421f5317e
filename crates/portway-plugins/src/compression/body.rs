//! A body that is compressed while it passes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use portway_plugin::{Body, Error};

use super::encoder::Encoder;

/// The most that is compressed at one go: other requests of the core wait meanwhile.
const GO: usize = 32 * 1024;
/// The most that is taken before something is sent on, though the upstream does not pause.
const HELD: usize = 128 * 1024;

/// A body on its way through an encoder.
pub(super) struct Compressed {
    inner: Body,
    /// `None` when the body has ended.
    encoder: Option<Encoder>,
    /// What has come and is not compressed yet.
    waiting: Bytes,
    /// How much was taken since the last flush.
    held: usize,
    trailers: Option<HeaderMap>,
}

impl Compressed {
    pub(super) fn new(inner: Body, encoder: Encoder) -> Self {
        Self { inner, encoder: Some(encoder), waiting: Bytes::new(), held: 0, trailers: None }
    }

    /// Compresses a piece of what waits. Something to send, when there is enough of it.
    fn step(&mut self) -> io::Result<Option<Bytes>> {
        let Some(encoder) = &mut self.encoder else { return Ok(None) };
        let length = self.waiting.len().min(GO);
        encoder.write(&self.waiting[..length])?;
        self.waiting.advance(length);
        self.held += length;
        if self.held >= HELD {
            encoder.flush()?;
            self.held = 0;
        }
        Ok(some(encoder.take()))
    }

    /// Gives out what is held back.
    fn flush(&mut self) -> io::Result<Option<Bytes>> {
        let Some(encoder) = self.encoder.as_mut().filter(|_| self.held > 0) else {
            return Ok(None);
        };
        self.held = 0;
        encoder.flush()?;
        Ok(some(encoder.take()))
    }
}

impl HttpBody for Compressed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        loop {
            if !this.waiting.is_empty() {
                match this.step().map_err(failed) {
                    Ok(Some(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    Ok(None) => continue,
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
            if this.encoder.is_none() {
                return Poll::Ready(this.trailers.take().map(|fields| Ok(Frame::trailers(fields))));
            }
            match Pin::new(&mut this.inner).poll_frame(cx) {
                // The upstream pauses: nothing that has come waits for what has not.
                Poll::Pending => {
                    return match this.flush().map_err(failed) {
                        Ok(Some(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
                        Ok(None) => Poll::Pending,
                        Err(error) => Poll::Ready(Some(Err(error))),
                    };
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        this.waiting = data;
                        continue;
                    }
                    Err(frame) => this.trailers = frame.into_trailers().ok(),
                },
                Poll::Ready(None) => {}
            }
            if let Some(encoder) = this.encoder.take() {
                match encoder.finish().map_err(failed) {
                    Ok(end) if end.is_empty() => {}
                    Ok(end) => return Poll::Ready(Some(Ok(Frame::data(end)))),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none() && self.waiting.is_empty() && self.trailers.is_none()
    }
}

fn some(data: Bytes) -> Option<Bytes> {
    Some(data).filter(|data| !data.is_empty())
}

fn failed(error: io::Error) -> Error {
    Error::gateway("compression_failed", "the answer could not be compressed").because(error)
}
