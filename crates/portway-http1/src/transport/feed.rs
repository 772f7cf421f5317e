//! A body on its way out.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Body;

use super::Outbox;
use crate::body::{Encoder, Framing, Mismatch};

/// Bytes to go beyond which a body is not asked for more.
pub(crate) const HIGH_WATER: usize = 16 * 1024;

/// Takes frames from a body and encodes them, no faster than they go.
#[derive(Debug)]
pub(crate) struct Feed {
    encoder: Encoder,
    ended: bool,
    /// The body has given something away.
    taken: bool,
    /// It has failed, and stays so: what the body says behind that must not complete it.
    failed: bool,
}

/// Why a body does not come to its end.
#[derive(Debug)]
pub(crate) enum Broken<E> {
    Body(E),
    Mismatch,
}

impl<E> From<Mismatch> for Broken<E> {
    fn from(_: Mismatch) -> Self {
        Self::Mismatch
    }
}

impl Feed {
    pub(crate) fn new(framing: Framing) -> Self {
        let (encoder, ended) = (Encoder::new(framing), framing == Framing::None);
        Self { encoder, ended, taken: false, failed: false }
    }

    /// Whether the body's end was encoded.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether the body has given something away, its end or an error among it.
    pub(crate) fn has_taken(&self) -> bool {
        self.taken
    }

    /// Takes what the body has, up to a bound. Returns whether it was asked for anything.
    pub(crate) fn poll<B>(
        &mut self,
        body: Pin<&mut B>,
        outbox: &mut Outbox,
        cx: &mut Context<'_>,
    ) -> Result<bool, Broken<B::Error>>
    where
        B: Body<Data = Bytes>,
    {
        if self.failed {
            return Err(Broken::Mismatch);
        }
        let taken = self.take(body, outbox, cx);
        self.failed = taken.is_err();
        taken
    }

    fn take<B>(
        &mut self,
        mut body: Pin<&mut B>,
        outbox: &mut Outbox,
        cx: &mut Context<'_>,
    ) -> Result<bool, Broken<B::Error>>
    where
        B: Body<Data = Bytes>,
    {
        let mut asked = false;
        while !self.ended && outbox.len() < HIGH_WATER {
            asked = true;
            let Poll::Ready(frame) = body.as_mut().poll_frame(cx) else { break };
            self.taken = true;
            let Some(frame) = frame else {
                self.end(None, outbox)?;
                break;
            };
            match frame.map_err(Broken::Body)?.into_data() {
                Ok(data) => self.encoder.data(data, outbox)?,
                Err(frame) => self.end(frame.trailers_ref(), outbox)?,
            }
            if !self.ended && body.is_end_stream() {
                self.end(None, outbox)?;
            }
        }
        Ok(asked)
    }

    fn end(
        &mut self,
        trailers: Option<&http::HeaderMap>,
        outbox: &mut Outbox,
    ) -> Result<(), Mismatch> {
        self.ended = true;
        self.encoder.end(trailers, outbox)
    }
}
