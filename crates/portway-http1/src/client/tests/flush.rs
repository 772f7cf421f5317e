//! Streams that collect what is written until they are flushed, as TLS does.

use std::future;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use tokio::io::{BufStream, DuplexStream, duplex};

use super::{Connection, Home, Options, parts::Many, request};
use crate::{
    error::{BodyError, HeadError},
    limits::HeadLimits,
    server,
};

struct Nowhere;

impl Home<BufStream<DuplexStream>> for Nowhere {
    fn give_back(self, _: Connection<BufStream<DuplexStream>>) {}
}

/// Sends a hint, then what came.
struct Echo(server::Control);

impl server::Service for Echo {
    type Body = UnsyncBoxBody<Bytes, BodyError>;
    type Future = future::Ready<Response<Self::Body>>;

    fn call(&self, request: Request<server::Body>) -> Self::Future {
        assert!(self.0.interim(StatusCode::EARLY_HINTS, &HeaderMap::new()));
        future::ready(Response::new(request.into_body().boxed_unsync()))
    }

    fn refuse(&self, error: HeadError) -> Response<Self::Body> {
        panic!("{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_collects_is_flushed() {
    for room in [16, 4096, 1 << 20] {
        for size in [0, 1, 9_000, 200_000] {
            let (here, there) = duplex(room);
            let options = server::Options::default();
            let there = BufStream::with_capacity(1 << 17, 1 << 17, there);
            let server = server::Connection::new(there, BytesMut::new(), options);
            let echo = Echo(server.control());
            tokio::spawn(server.serve(echo, future::pending()));
            let here = BufStream::with_capacity(1 << 17, 1 << 17, here);
            let connection = Connection::new(here, HeadLimits::default());
            let mut request = request(Method::POST, Many { left: size });
            let answer = connection.exchange(&mut request, Options::default()).await.unwrap();
            let (_, body, upload) = answer.into_parts(Nowhere);
            let upload = upload.map(tokio::spawn);
            let echoed = body.collect().await.unwrap().to_bytes();
            assert_eq!(echoed.len(), size, "{room}");
            if let Some(upload) = upload {
                upload.await.unwrap();
            }
        }
    }
}
