//! Answers ahead of the request's end, and the rest of it.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, split},
    sync::mpsc::unbounded_channel,
    time::{Instant, sleep},
};

use super::{Client, Options, played::played, text};
use crate::{
    error::BodyError,
    server::{Body, End},
};

const NEXT: &str = "GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n")
}

/// Wants no body.
async fn early(request: Request<Body>) -> super::Answer {
    let path = request.uri().path().to_owned();
    drop(request);
    text(path)
}

#[tokio::test(start_paused = true)]
async fn a_small_rest_is_read_and_the_next_request_served() {
    let chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    for (head, body) in [
        (post(4), "body".to_owned()),
        (post(60_000), "x".repeat(60_000)),
        // All of it is here already.
        (chunked.to_owned(), "4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n".to_owned()),
    ] {
        let mut client = Client::open(Options::default(), 4096, |_| early);
        if head.contains("chunked") {
            client.say(format!("{head}{body}")).await;
            assert_eq!(client.hear().await.body, "/");
        } else {
            client.say(head).await;
            let answer = client.hear().await;
            assert_eq!((answer.body.as_str(), answer.keep_alive), ("/", true));
            client.say(body).await;
        }
        client.say(NEXT).await;
        assert_eq!(client.hear().await.body, "/next");
        assert_eq!(client.end().await.0, End::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_inside_a_body_is_not_served() {
    for at in 0..NEXT.len() {
        let mut client = Client::open(Options::default(), 4096, |_| early);
        client.say(format!("{}{}", post(NEXT.len()), &NEXT[..at])).await;
        assert_eq!(client.hear().await.body, "/");
        client.say(format!("{}GET /other HTTP/1.1\r\nhost: a\r\n\r\n", &NEXT[at..])).await;
        let answer = client.hear().await;
        assert_eq!((answer.body.as_str(), answer.keep_alive), ("/other", true), "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_or_unknown_rest_closes_the_connection() {
    let chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbo";
    for head in [post(10_000_000), chunked.to_owned()] {
        let mut client = Client::open(Options::default(), 4096, |_| early);
        client.say(head).await;
        let answer = client.hear().await;
        assert_eq!((answer.body.as_str(), answer.keep_alive), ("/", false));
        // It is read for a while all the same, so that the answer is not lost.
        let begun = Instant::now();
        while client.io.write_all(&[b'x'; 1000]).await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(client.end().await.0, End::Closed);
        let lingered = begun.elapsed();
        let time = Options::default().drain.time;
        assert!(time <= lingered && lingered <= time + time / 10, "{lingered:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rest_that_does_not_come_closes_the_connection() {
    let options = Options::default();
    let mut client = Client::open(options, 4096, |_| early);
    client.say(format!("{}bo", post(4))).await;
    assert!(client.hear().await.keep_alive);
    let (end, took) = client.end().await;
    assert_eq!(end, End::Closed);
    assert!(took <= options.drain.time * 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_last_answer_is_followed_by_the_end_at_once() {
    let mut client = Client::open(Options::default(), 4096, |_| early);
    client.say(NEXT).await;
    assert_eq!(client.hear().await.body, "/next");
    assert_eq!(client.end().await, (End::Closed, Duration::ZERO), "nothing more is to come");
}

/// Twenty megabytes each way, the client being slow.
#[tokio::test(start_paused = true)]
async fn an_answer_passes_its_request() {
    const MANY: usize = 20_000_000;
    let client = Client::open(Options::default(), 64 * 1024, |_| {
        |request: Request<Body>| async {
            let mut upload = request.into_body();
            let (player, answer) = played(None);
            tokio::spawn(async move {
                let mut left = MANY;
                while let Some(frame) = upload.frame().await {
                    left -= frame.unwrap().into_data().unwrap().len();
                }
                assert_eq!(left, 0);
                player.data("end");
            });
            let body = vec![b'd'; MANY];
            let (other, early) = played(None);
            other.data(body);
            drop(other);
            let early = early.into_body().collect().await.unwrap().to_bytes();
            let first = http_body_util::Full::new(early).map_err(|never| match never {});
            let both = Chain(first.boxed_unsync(), answer.into_body());
            http::Response::new(both.boxed_unsync())
        }
    });
    let (mut from, mut to) = split(client.io);
    let saying = tokio::spawn(async move {
        to.write_all(post(MANY).as_bytes()).await.unwrap();
        for _ in 0..MANY / 10_000 {
            to.write_all(&[b'u'; 10_000]).await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
        to.write_all(NEXT.as_bytes()).await.unwrap();
        to
    });
    let mut heard = Vec::new();
    // The first answer, and the head of the next.
    while !heard.ends_with(b"3\r\nend\r\n0\r\n\r\n") {
        assert_ne!(from.read_buf(&mut heard).await.unwrap(), 0);
    }
    assert!(heard.len() > MANY);
    drop(saying.await.unwrap());
}

/// One body behind another.
struct Chain<B>(B, B);

impl<B> http_body::Body for Chain<B>
where
    B: http_body::Body<Data = bytes::Bytes> + Unpin,
{
    type Data = bytes::Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        match std::pin::Pin::new(&mut self.0).poll_frame(cx) {
            std::task::Poll::Ready(None) => std::pin::Pin::new(&mut self.1).poll_frame(cx),
            polled => polled,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_another_task_holds_is_taken_from_it() {
    let (holding, mut held) = unbounded_channel();
    let mut client = Client::open(Options::default(), 4096, |_| {
        move |request: Request<Body>| {
            let (path, body) = (request.uri().path().to_owned(), request.into_body());
            holding.send(body).unwrap();
            async { text(path) }
        }
    });
    client.say(format!("{}bo", post(4))).await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.status), ("/", StatusCode::OK));
    let mut body = held.recv().await.unwrap();
    client.say("dy").await;
    client.say(NEXT).await;
    assert_eq!(client.hear().await.body, "/next", "the rest was drained");
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(matches!(error, BodyError::Over), "{error:?}");
    assert_eq!(client.end().await.0, End::Closed);
}
