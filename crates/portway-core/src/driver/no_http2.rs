//! What stands in the place of HTTP/2 in a build without it: the same face, and nothing behind it.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use portway_http1::client::Options;
use portway_plugin::{Body, Error};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{Closing, Failed, Serve, ServerOptions, http1};
use crate::socket::Wire;

/// It is no part of this build.
pub(crate) const IS_SPOKEN: bool = false;

/// Serves a connection that begins like HTTP/2, which HTTP/1.1 refuses.
pub(super) async fn serve(
    wire: Wire,
    read: Bytes,
    options: ServerOptions,
    closing: &Closing,
    service: impl Serve,
) {
    http1::serve(wire, BytesMut::from(read), options, closing, service).await;
}

/// Nobody reads it.
pub(crate) fn ask_tunnel(_: &mut Request<Body>, _: &str) {}

/// There are none.
#[derive(Debug)]
pub(crate) struct StreamLine(Infallible);

impl StreamLine {
    pub(super) fn begin(&self) {
        match self.0 {}
    }

    pub(super) fn end(&self, _: Instant) {
        match self.0 {}
    }

    pub(super) fn last(&self) {
        match self.0 {}
    }

    pub(super) fn limit(&self, _: Option<Duration>) {
        match self.0 {}
    }

    pub(super) fn interim(&self, _: StatusCode, _: &HeaderMap) {
        match self.0 {}
    }

    pub(super) fn tunnel(&self) -> Option<Awaited> {
        match self.0 {}
    }
}

/// There are none.
#[derive(Clone, Debug)]
pub(crate) struct Multiplexed(Infallible);

/// Nobody reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shake {
    #[allow(dead_code, reason = "read where HTTP/2 is spoken")]
    pub(crate) secure: bool,
}

impl Multiplexed {
    pub(crate) async fn begin(_: Wire, _: usize) -> Result<Self, Error> {
        Err(Error::gateway("no_http2", "this gateway was built without HTTP/2"))
    }

    pub(crate) fn has_room(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn is_open(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn is_same(&self, _: &Self) -> bool {
        match self.0 {}
    }

    pub(crate) fn active(&self) -> usize {
        match self.0 {}
    }

    pub(crate) async fn exchange(
        &self,
        _: &mut Request<Body>,
        _: Shake,
        _: Options<'_>,
    ) -> Result<Answer, Box<Failed>> {
        match self.0 {}
    }
}

/// There are none.
pub(crate) struct Answer(Infallible);

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        match self.0 {}
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        match self.0 {}
    }

    pub(crate) fn is_early(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        match self.0 {}
    }

    pub(crate) fn is_tunnel(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn into_tunnel(self) -> Option<StreamIo> {
        match self.0 {}
    }
}

/// Nobody looks for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tunnelled;

/// There are none.
pub(crate) struct Awaited(Infallible);

impl Awaited {
    pub(super) async fn open(self) -> Option<StreamIo> {
        match self.0 {}
    }
}

/// There are none.
pub(crate) struct StreamIo(Infallible);

impl AsyncRead for StreamIo {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl AsyncWrite for StreamIo {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
