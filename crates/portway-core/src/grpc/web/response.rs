//! From gRPC to gRPC-Web: messages as they come, then the end of the call as a frame.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::{Body as HttpBody, Frame};
use portway_plugin::{Body, Error};

use super::trailers;
use crate::{
    base64,
    grpc::{
        Kind,
        messages::Messages,
        status::{Code, STATUS, ending},
        told::untold,
    },
};

/// The body of an answer on its way to the browser.
pub(super) struct FromGrpc {
    body: Body,
    kind: Kind,
    messages: Messages,
    /// What the answer's head said of the end.
    ending: Option<HeaderMap>,
    ended: bool,
}

impl FromGrpc {
    pub(super) fn new(body: Body, kind: Kind, ending: Option<HeaderMap>) -> Self {
        Self { body, kind, messages: Messages::default(), ending, ended: false }
    }

    /// Data as it comes, whole messages or parts of them. The text form is padded whenever there is
    /// nothing more to send at once, which the specification allows anywhere.
    fn data(&mut self, data: Bytes) -> Result<Bytes, Error> {
        self.messages
            .track(&data)
            .map_err(|_| broken("trailers of gRPC-Web stand where a message may"))?;
        Ok(match self.kind {
            Kind::WebText => base64::encode(&data),
            Kind::Web | Kind::Grpc => data,
        })
    }

    /// The last frame. Within a message there is no place for it, and the client's connection is
    /// broken off instead.
    fn finish(&mut self, end: Result<Option<HeaderMap>, Error>) -> Result<Bytes, Error> {
        self.ended = true;
        if !self.messages.at_boundary() {
            return Err(match end {
                Err(error) => error,
                Ok(_) => broken("the answer stops within a message"),
            });
        }
        let said = |end: &HeaderMap| end.contains_key(STATUS);
        let end = match end {
            Err(error) => ending(Code::of(error.status()), error.message()),
            Ok(trailers) => trailers.filter(said).or(self.ending.take()).unwrap_or_else(untold),
        };
        Ok(trailers(&end, self.kind))
    }
}

fn broken(why: &'static str) -> Error {
    Error::upstream(StatusCode::BAD_GATEWAY, "upstream_protocol", "the upstream broke gRPC")
        .because(why)
}

impl HttpBody for FromGrpc {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        while !this.ended {
            let result = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.data(data),
                    Err(frame) => this.finish(Ok(frame.into_trailers().ok())),
                },
                Some(Err(error)) => this.finish(Err(error)),
                None => this.finish(Ok(None)),
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
