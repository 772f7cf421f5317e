//! From gRPC-Web to gRPC: base64 is taken off, and what is no message is refused.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame};
use portway_plugin::{Body, Error};

use crate::{
    base64::Decoder,
    grpc::{Kind, messages::Messages},
};

/// The body of a request on its way to the upstream.
pub(super) struct ToGrpc {
    body: Body,
    /// For the text form.
    decoder: Option<Decoder>,
    messages: Messages,
    ended: bool,
}

impl ToGrpc {
    pub(super) fn new(body: Body, kind: Kind) -> Self {
        let decoder = (kind == Kind::WebText).then(Decoder::default);
        Self { body, decoder, messages: Messages::default(), ended: false }
    }

    fn decode(&mut self, data: Bytes) -> Result<Bytes, Error> {
        let data = match &mut self.decoder {
            Some(decoder) => decoder.decode(&data).map_err(|_| refused("it is not base64"))?,
            None => data,
        };
        self.messages.track(&data).map_err(|_| refused("trailers stand where a message may"))?;
        Ok(data)
    }

    fn finish(&self) -> Result<(), Error> {
        let whole = self.decoder.as_ref().is_none_or(Decoder::is_whole);
        match whole && self.messages.at_boundary() {
            true => Ok(()),
            false => Err(refused("it stops within a message")),
        }
    }
}

fn refused(why: &'static str) -> Error {
    Error::client(StatusCode::BAD_REQUEST, "bad_request_body", "the body is not gRPC-Web")
        .because(why)
}

impl HttpBody for ToGrpc {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        while !this.ended {
            // Trailers of HTTP are no part of a request of gRPC.
            let result = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.decode(data),
                    Err(_) => continue,
                },
                Some(Err(error)) => Err(error),
                None => {
                    this.ended = true;
                    return Poll::Ready(this.finish().err().map(Err));
                }
            };
            match result {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(error) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
