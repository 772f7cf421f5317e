//! An upstream that closes a connection just when it is used again, on real sockets.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use http::{HeaderValue, Method};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{Options, Text, request};
use crate::{
    client::{Connection, Home},
    limits::HeadLimits,
};

/// How often each request was seen whole, by its number.
type Seen = Arc<Mutex<HashMap<String, u32>>>;

/// Answers one request, and closes a little later or sooner; counts what it reads.
async fn serve(mut socket: TcpStream, seen: Seen, pause: u64) {
    let mut read = Vec::new();
    for round in 0_u64.. {
        while !read.ends_with(b"\r\n\r\n") && !read.ends_with(b"body") {
            if socket.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let text = String::from_utf8_lossy(&read).into_owned();
        let number = text.split("x-number: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        *seen.lock().unwrap().entry(number.unwrap_or_default().to_owned()).or_default() += 1;
        read.clear();
        if round > 0 {
            // It has read a second request, and is gone before it answers.
            return;
        }
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        for _ in 0..pause {
            tokio::task::yield_now().await;
        }
        if !pause.is_multiple_of(3) {
            return;
        }
    }
}

struct Kept<'a>(&'a mut Option<Connection<TcpStream>>);

impl Home<TcpStream> for Kept<'_> {
    fn give_back(self, connection: Connection<TcpStream>) {
        *self.0 = Some(connection);
    }
}

async fn races(count: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let counts = Arc::clone(&seen);
    tokio::spawn(async move {
        for pause in 0.. {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(socket, Arc::clone(&counts), pause % 7));
        }
    });
    let (mut idle, mut given_up) = (None, 0);
    for number in 0..count {
        let method = if number % 2 == 0 { Method::GET } else { Method::POST };
        let is_repeatable = method.is_idempotent();
        let body = if is_repeatable { Text::default() } else { Text::from("body") };
        let mut request = request(method, body);
        request.headers_mut().insert("x-number", HeaderValue::from(number));
        loop {
            let reused: Option<Connection<TcpStream>> = idle.take();
            let was_idle = reused.is_some();
            let connection = match reused {
                Some(connection) => connection,
                None => {
                    let socket = TcpStream::connect(address).await.unwrap();
                    Connection::new(socket, HeadLimits::default())
                }
            };
            match connection.exchange(&mut request, Options::default()).await {
                Ok(answer) => {
                    drop(answer.into_parts(Kept(&mut idle)));
                    break;
                }
                Err(failure) => {
                    assert!(failure.reason.is_hang_up(), "{number}: {:?}", failure.reason);
                    assert!(was_idle, "{number}: a fresh connection answers");
                    if failure.touched || (failure.written > 0 && !is_repeatable) {
                        given_up += 1;
                        break;
                    }
                }
            }
        }
    }
    let seen = seen.lock().unwrap();
    for number in (1..count).step_by(2) {
        let times = seen.get(&number.to_string()).copied().unwrap_or(0);
        assert!(times <= 1, "POST {number} was sent {times} times");
    }
    assert!(given_up > 0, "some were in the race");
}

#[tokio::test]
async fn ten_thousand_connections_that_close_when_they_are_used_again() {
    races(10_000).await;
}

#[tokio::test]
#[ignore = "minutes; run by hand"]
async fn a_million_connections_that_close_when_they_are_used_again() {
    races(1_000_000).await;
}
