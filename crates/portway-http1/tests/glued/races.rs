//! Upstreams that close a connection just when it is used again.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use bytes::{Bytes, BytesMut};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use portway_http1::{
    body::{Decoded, Decoder},
    client::{Connection, Home, Options},
    head::{Scan, parse_request},
    limits::HeadLimits,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    task::yield_now,
};

/// How often a request was seen by any upstream, by its path.
type Seen = Arc<Mutex<HashMap<String, u32>>>;

#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Option<Connection<UnixStream>>>>);

impl Home<UnixStream> for Shelf {
    fn give_back(self, connection: Connection<UnixStream>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}

/// Small numbers without a pattern.
struct Dice(u32);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) % sides
    }
}

/// Answers requests with their path, until it closes without a word.
async fn serve(mut io: UnixStream, seen: Seen, mut dice: Dice) {
    let mut bytes = BytesMut::new();
    loop {
        let (mut scan, limits) = (Scan::default(), HeadLimits::default());
        let end = loop {
            if let Some(end) = scan.advance(&bytes, &limits).expect("a request") {
                break end;
            }
            match io.read_buf(&mut bytes).await {
                Ok(read) if read > 0 => {}
                _ => return,
            }
        };
        let head = parse_request(&bytes.split_to(end).freeze(), &scan).expect("a request");
        let path = head.uri.path().to_owned();
        *seen.lock().unwrap_or_else(PoisonError::into_inner).entry(path.clone()).or_default() += 1;
        let mut decoder = Decoder::new(head.framing);
        loop {
            match decoder.decode(&mut bytes, false).expect("a body") {
                Decoded::End => break,
                Decoded::More => match io.read_buf(&mut bytes).await {
                    Ok(read) if read > 0 => {}
                    _ => return,
                },
                _ => {}
            }
        }
        if dice.roll(50) == 0 {
            return;
        }
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}", path.len());
        if io.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        if dice.roll(3) == 0 {
            for _ in 0..dice.roll(4) {
                yield_now().await;
            }
            for _ in 0..dice.roll(2000) {
                std::hint::spin_loop();
            }
            return;
        }
    }
}

/// What became of the races.
#[derive(Debug, Default)]
struct Tally {
    /// Requests that were sent again.
    again: u32,
    /// Requests that could not be.
    failed: u32,
    /// Connections that were seen to be closed beforehand.
    stale: u32,
}

async fn race(times: u32) -> Tally {
    let (seen, shelf, mut dice) = (Seen::default(), Shelf::default(), Dice(0x9e37_79b1));
    let mut tally = Tally::default();
    for number in 0..times {
        let (method, body) = match dice.roll(3) {
            0 => (Method::GET, Full::default()),
            1 => (Method::POST, Full::default()),
            _ => (Method::POST, Full::new(Bytes::from_static(b"body"))),
        };
        let path = format!("/{number}");
        let mut request = Request::builder().method(method.clone()).uri(path.as_str());
        request = request.header("host", "a");
        let mut request = request.body(body).expect("a request");
        let looks = dice.roll(2) == 0;
        let answer = loop {
            let idle = shelf.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            let connection = match idle {
                Some(mut idle) => {
                    let usable = poll_fn(|cx| Poll::Ready(!looks || idle.is_usable(cx))).await;
                    if !usable {
                        tally.stale += 1;
                        continue;
                    }
                    idle
                }
                None => {
                    let (here, there) = UnixStream::pair().expect("a pair of sockets");
                    let seed = Dice(dice.roll(u32::MAX) | 1);
                    tokio::spawn(serve(there, Arc::clone(&seen), seed));
                    Connection::new(here, HeadLimits::default())
                }
            };
            match connection.exchange(&mut request, Options::default()).await {
                Ok(answer) => break Some(answer),
                Err(failure) => {
                    assert!(failure.reason.is_hang_up(), "{:?}", failure.reason);
                    let may = failure.written == 0 || method == Method::GET;
                    if failure.touched || !may {
                        tally.failed += 1;
                        break None;
                    }
                    tally.again += 1;
                }
            }
        };
        assert!(answer.is_some() || method == Method::POST, "a GET is sent until it is answered");
        let Some(answer) = answer else { continue };
        let (_, body, upload) = answer.into_parts(shelf.clone());
        assert!(upload.is_none());
        let body = body.collect().await.expect("a whole answer").to_bytes();
        assert_eq!(body, path, "the answer to another request");
        let count = seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
        assert!(method == Method::GET || count == Some(1), "{path} was sent {count:?} times");
    }
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(seen.values().all(|count| *count == 1), "sent again though it may have been seen");
    tally
}

fn check(tally: &Tally, times: u32) {
    println!("{tally:?} of {times}");
    assert!(tally.again > 0 && tally.failed > 0 && tally.stale > 0, "{tally:?} of {times}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_races_send_nothing_twice() {
    check(&race(10_000).await, 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute"]
async fn a_million_races_send_nothing_twice() {
    check(&race(1_000_000).await, 1_000_000);
}
