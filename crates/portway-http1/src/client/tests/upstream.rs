//! The upstream's end of the pipe.

use std::time::Duration;

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    time::timeout,
};

use crate::{
    body::{Decoded, Decoder},
    error::BodyError,
    head::{RequestHead, Scan, parse_request},
    limits::HeadLimits,
};

/// Longer than any limit lets an exchange go on: beyond it, a wake-up was lost.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Upstream {
    pub(super) io: DuplexStream,
    heard: BytesMut,
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) head: RequestHead,
    pub(super) body: Vec<u8>,
    /// Whether its end was seen.
    pub(super) whole: bool,
}

impl Upstream {
    pub(super) fn new(io: DuplexStream) -> Self {
        Self { io, heard: BytesMut::new() }
    }

    pub(super) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let written = timeout(FOR_EVER, self.io.write_all(bytes.as_ref())).await;
        written.expect("somebody reads").expect("the connection is open");
    }

    async fn more(&mut self) -> usize {
        let read = timeout(FOR_EVER, self.io.read_buf(&mut self.heard)).await;
        read.expect("the connection speaks, or ends").unwrap_or(0)
    }

    /// The next request's head. `None`: the connection was closed ahead of it.
    pub(super) async fn head(&mut self) -> Option<RequestHead> {
        let mut scan = Scan::default();
        loop {
            let found = scan.advance(&self.heard, &HeadLimits::default()).expect("a request");
            if let Some(end) = found {
                let head = self.heard.split_to(end).freeze();
                return Some(parse_request(&head, &scan).expect("a request"));
            }
            if self.more().await == 0 {
                assert!(self.heard.is_empty(), "half a head: {:?}", self.heard);
                return None;
            }
        }
    }

    /// The next request, as far as it comes.
    pub(super) async fn request(&mut self) -> Option<Heard> {
        let head = self.head().await?;
        let (body, whole) = self.body(&head).await;
        Some(Heard { head, body, whole })
    }

    /// The body behind a head, and whether it is whole.
    pub(super) async fn body(&mut self, head: &RequestHead) -> (Vec<u8>, bool) {
        let (mut decoder, mut body, mut eof) = (Decoder::new(head.framing), Vec::new(), false);
        let whole = loop {
            match decoder.decode(&mut self.heard, eof) {
                Ok(Decoded::Data(data)) => body.extend_from_slice(&data),
                Ok(Decoded::Trailers(_)) => {}
                Ok(Decoded::End) => break true,
                Ok(Decoded::More) => eof = self.more().await == 0,
                Err(BodyError::Incomplete) => break false,
                Err(error) => panic!("{error}"),
            }
        };
        (body, whole)
    }
}
