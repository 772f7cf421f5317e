//! What is read of an answer, and whether its connection can be used again.

use std::future::poll_fn;

use http::{HeaderValue, Method};
use tokio::{io::AsyncWriteExt as _, task::yield_now};

use super::{Answer, Options, Read, Shelf, connect, get, read, request};
use crate::error::BodyError;

/// What comes behind a request, and what it is to come to.
struct Case {
    method: Method,
    answer: &'static str,
    closes: bool,
    body: &'static str,
    /// Whether the connection takes another request.
    stays: bool,
}

const fn case(answer: &'static str, body: &'static str, stays: bool) -> Case {
    Case { method: Method::GET, answer, closes: false, body, stays }
}

const fn closing(answer: &'static str, body: &'static str) -> Case {
    Case { method: Method::GET, answer, closes: true, body, stays: false }
}

const fn to_head(answer: &'static str, stays: bool) -> Case {
    Case { method: Method::HEAD, answer, closes: false, body: "", stays }
}

const CASES: &[Case] = &[
    case("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody", "body", true),
    case("HTTP/1.1 200 \r\ncontent-length: 4\r\n\r\nbody", "body", true),
    case("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", "", true),
    case(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        "body",
        true,
    ),
    case("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "", true),
    case(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\nx-sum: 1\r\n\r\n",
        "body",
        true,
    ),
    case("HTTP/1.1 204 No Content\r\n\r\n", "", true),
    case("HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\n", "", true),
    case("HTTP/1.1 304 Not Modified\r\ncontent-length: 100\r\n\r\n", "", true),
    to_head("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", true),
    to_head("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", true),
    to_head("HTTP/1.1 200 OK\r\n\r\n", true),
    case(
        "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 4\r\n\r\nbody",
        "body",
        true,
    ),
    // One of both says that it is the last.
    case("HTTP/1.0 200 OK\r\ncontent-length: 4\r\n\r\nbody", "body", false),
    case("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody", "body", false),
    case("HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 4\r\n\r\nbody", "body", false),
    case("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n", "", false),
    to_head("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", false),
    // It is the last because it has no other end.
    closing("HTTP/1.1 200 OK\r\n\r\nbody", "body"),
    closing("HTTP/1.1 200 OK\r\n\r\n", ""),
    closing("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\nbody", "body"),
    // Closed behind it all the same.
    closing("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody", "body"),
    closing("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", "body"),
    closing("HTTP/1.1 204 No Content\r\n\r\n", ""),
    // What belongs to no exchange.
    case("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody!", "body", false),
    case("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "", false),
    case(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n!",
        "body",
        false,
    ),
    case("HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\nbody", "", false),
    case("HTTP/1.1 304 Not Modified\r\ncontent-length: 4\r\n\r\nbody", "", false),
    to_head("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody", false),
];

/// Runs an exchange whose answer comes in two pieces that meet at `at`.
async fn run(case: &Case, at: usize) -> Read {
    let (connection, mut upstream) = connect(4096);
    let answering = async move {
        upstream.head().await.unwrap();
        upstream.say(&case.answer[..at]).await;
        for _ in 0..4 {
            yield_now().await;
        }
        // It may have been closed by now.
        let _ = upstream.io.write_all(&case.answer.as_bytes()[at..]).await;
        (!case.closes).then_some(upstream)
    };
    let asking = async {
        let mut request = request(case.method.clone(), super::Text::default());
        let answer = connection.exchange(&mut request, Options::default()).await;
        let answer: Answer<_, _> = answer.unwrap_or_else(|failure| panic!("{failure:?}"));
        let shelf = Shelf::default();
        let (_, body, upload) = answer.into_parts(shelf.clone());
        assert!(upload.is_none());
        read(body, &shelf).await
    };
    let (mut read, upstream) = tokio::join!(asking, answering);
    if let Some(connection) = &mut read.connection
        && !poll_fn(|cx| std::task::Poll::Ready(connection.is_usable(cx))).await
    {
        read.connection = None;
    }
    drop(upstream);
    read
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_used_again_only_if_it_is_clean() {
    for case in CASES {
        for at in 0..case.answer.len() {
            let read = run(case, at).await;
            let label = format!("{} {:?} split at {at}", case.method, case.answer);
            assert!(read.error.is_none(), "{label}: {:?}", read.error);
            assert_eq!(read.data, case.body.as_bytes(), "{label}");
            assert_eq!(read.connection.is_some(), case.stays, "{label}");
            let sum = read.trailers.get("x-sum").map(HeaderValue::as_bytes);
            assert_eq!(sum.is_some(), case.answer.contains("x-sum"), "{label}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_is_an_error() {
    type Is = fn(&BodyError) -> bool;
    let incomplete: Is = |error| matches!(error, BodyError::Incomplete);
    let chunk: Is = |error| matches!(error, BodyError::Chunk);
    let trailers: Is = |error| matches!(error, BodyError::Trailers);
    let chunked = |rest| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{rest}");
    let cases = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nbody".to_owned(), "body", incomplete),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n".to_owned(), "", incomplete),
        (chunked(""), "", incomplete),
        (chunked("4\r\nbody"), "body", incomplete),
        (chunked("5\r\nbody"), "body", incomplete),
        (chunked("4\r\nbody\r\n"), "body", incomplete),
        (chunked("4\r\nbody\r\n0\r\n"), "body", incomplete),
        (chunked("4\r\nbody\r\n0\r\nx-sum: 1\r\n"), "body", incomplete),
        (chunked("x\r\n"), "", chunk),
        (chunked("4\r\nbody\r\n0\r\nnonsense\r\n\r\n"), "body", trailers),
    ];
    for (answer, body, is) in &cases {
        for at in 0..answer.len() {
            let case = Case {
                method: Method::GET,
                answer: answer.clone().leak(),
                closes: true,
                body: "",
                stays: false,
            };
            let read = run(&case, at).await;
            assert!(read.error.as_ref().is_some_and(is), "{answer:?} at {at}: {:?}", read.error);
            assert_eq!(read.data, body.as_bytes(), "{answer:?} at {at}");
            assert!(read.connection.is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn exchanges_follow_each_other_on_one_connection() {
    let (mut connection, mut upstream) = connect(64);
    let answering = tokio::spawn(async move {
        let mut seen = 0;
        while let Some(heard) = upstream.request().await {
            assert!(heard.whole);
            let text = format!("{} {}", heard.head.method, heard.body.len());
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
            upstream.say(head + &text).await;
            seen += 1;
        }
        seen
    });
    for size in [0, 1, 5000] {
        for method in [Method::GET, Method::POST] {
            let mut request = request(method.clone(), super::Text::from(vec![b'x'; size]));
            let answer = connection.exchange(&mut request, Options::default()).await.unwrap();
            let shelf = Shelf::default();
            let (_, body, _) = answer.into_parts(shelf.clone());
            let read = read(body, &shelf).await;
            assert_eq!(read.data, format!("{method} {size}").as_bytes());
            connection = read.connection.expect("it is clean");
            connection.rest();
            assert_eq!(connection.inbox().bytes.capacity(), 0, "an idle one holds no memory");
        }
    }
    drop(connection);
    assert_eq!(answering.await.unwrap(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_early_closes_its_connection() {
    let (connection, mut upstream) = connect(4096);
    let shelf = Shelf::default();
    let answering = tokio::spawn(async move {
        upstream.head().await.unwrap();
        upstream.say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nbody").await;
        upstream.head().await.is_none()
    });
    let answer = connection.exchange(&mut get(), Options::default()).await.unwrap();
    let (_, mut body, _) = answer.into_parts(shelf.clone());
    http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
    drop(body);
    assert!(answering.await.unwrap(), "the upstream sees it closed");
    assert!(shelf.is_empty());
}
