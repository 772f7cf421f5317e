//! The client's end of the pipe.

use std::{
    future::{self, Future},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{Answer, Calls};
use crate::{
    body::{Decoded, Decoder},
    error::BodyError,
    head::{ResponseHead, Scan, parse_response},
    limits::HeadLimits,
    server::{Body, Connection, Control, End, Options},
};

/// Longer than any limit lets a connection go on: beyond it, a wake-up was lost.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// A client of a connection that is served in a task of its own.
pub(super) struct Client {
    pub(super) io: DuplexStream,
    heard: BytesMut,
    serving: JoinHandle<End>,
}

/// One answer.
#[derive(Debug)]
pub(super) struct Heard {
    /// What came ahead of it.
    pub(super) interim: Vec<StatusCode>,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) keep_alive: bool,
    pub(super) body: String,
    pub(super) trailers: HeaderMap,
    /// Whether its end was seen.
    pub(super) whole: bool,
}

impl Client {
    /// A client behind a pipe that holds so many bytes.
    pub(super) fn open<F, Fut>(
        options: Options,
        room: usize,
        service: impl FnOnce(Control) -> F,
    ) -> Self
    where
        F: Fn(Request<Body>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        Self::open_until(options, room, future::pending(), service)
    }

    /// A client of a connection that is told to go at some time.
    pub(super) fn open_until<F, Fut>(
        options: Options,
        room: usize,
        leave: impl Future<Output = ()> + Send + 'static,
        service: impl FnOnce(Control) -> F,
    ) -> Self
    where
        F: Fn(Request<Body>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        let (io, there) = duplex(room);
        let connection = Connection::new(there, BytesMut::new(), options);
        let service = Calls(service(connection.control()));
        let serving = tokio::spawn(connection.serve(service, leave));
        Self { io, heard: BytesMut::new(), serving }
    }

    pub(super) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let written = timeout(FOR_EVER, self.io.write_all(bytes.as_ref())).await;
        written.expect("somebody reads").expect("the connection is open");
    }

    /// Closes the sending side.
    pub(super) async fn hush(&mut self) {
        self.io.shutdown().await.unwrap();
    }

    /// The next answer to a GET.
    pub(super) async fn hear(&mut self) -> Heard {
        self.hear_to(&Method::GET).await
    }

    /// The next answer, and the interim ones ahead of it.
    pub(super) async fn hear_to(&mut self, method: &Method) -> Heard {
        let mut interim = Vec::new();
        let head = loop {
            let head = self.head(method).await.expect("an answer");
            if !head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS {
                break head;
            }
            interim.push(head.status);
        };
        let mut decoder = Decoder::new(head.framing);
        let (mut body, mut trailers, mut eof) = (Vec::new(), HeaderMap::new(), false);
        let whole = loop {
            match decoder.decode(&mut self.heard, eof) {
                Ok(Decoded::Data(data)) => body.extend_from_slice(&data),
                Ok(Decoded::Trailers(here)) => trailers = here,
                Ok(Decoded::End) => break true,
                Ok(Decoded::More) => eof = self.read().await == 0,
                Err(BodyError::Incomplete) => break false,
                Err(error) => panic!("{error}"),
            }
        };
        let ResponseHead { status, headers, keep_alive, .. } = head;
        let body = String::from_utf8(body).unwrap();
        Heard { interim, status, headers, keep_alive, body, trailers, whole }
    }

    /// The next head. `None`: the connection was closed ahead of it.
    pub(super) async fn head(&mut self, method: &Method) -> Option<ResponseHead> {
        let mut scan = Scan::default();
        loop {
            let found = scan.advance(&self.heard, &HeadLimits::default()).expect("an answer");
            if let Some(end) = found {
                let head = self.heard.split_to(end).freeze();
                return Some(parse_response(&head, &scan, method).expect("an answer"));
            }
            if self.read().await == 0 {
                assert!(self.heard.is_empty(), "half a head: {:?}", self.heard);
                return None;
            }
        }
    }

    async fn read(&mut self) -> usize {
        let read = timeout(FOR_EVER, self.io.read_buf(&mut self.heard)).await;
        read.expect("the connection speaks, or ends").unwrap_or(0)
    }

    /// Says so if anything comes in a second.
    pub(super) async fn hears_nothing(&mut self) {
        let read = timeout(Duration::from_secs(1), self.io.read_buf(&mut self.heard)).await;
        assert!(read.is_err(), "{:?}", self.heard);
        assert!(self.heard.is_empty(), "{:?}", self.heard);
    }

    /// Whatever comes until the end.
    pub(super) async fn rest(&mut self) -> Bytes {
        while self.read().await > 0 {}
        self.heard.split().freeze()
    }

    /// How the connection ended, and how long that took from now. It says nothing more.
    pub(super) async fn end(&mut self) -> (End, Duration) {
        let begun = Instant::now();
        let ended = timeout(FOR_EVER, &mut self.serving).await;
        let ended = ended.expect("the connection comes to an end").expect("no panic");
        let took = begun.elapsed();
        assert_eq!(self.rest().await, Bytes::new(), "nothing comes behind the last answer");
        (ended, took)
    }

    /// How its task ended, whoever has the connection now.
    pub(super) async fn end_of_serving(&mut self) -> End {
        let ended = timeout(FOR_EVER, &mut self.serving).await;
        ended.expect("the connection's task comes to an end").expect("no panic")
    }

    /// Leaves without a word.
    pub(super) async fn leave(self) -> End {
        drop(self.io);
        let ended = timeout(FOR_EVER, self.serving).await;
        ended.expect("the connection comes to an end").expect("no panic")
    }
}
