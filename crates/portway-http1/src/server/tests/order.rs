//! One request after the other, and what HTTP/1.0 makes of it.

use http::{Method, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, split},
    task::yield_now,
};

use super::{Client, Options, played::played, status, tell, text};
use crate::server::End;

const THREE: &str = "POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nfirst\
    POST /2 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\
    3\r\nsec\r\n3\r\nond\r\n0\r\nx-sum: 1\r\n\r\n\
    GET /3 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn pipelined_requests_are_answered_in_order_wherever_they_are_split() {
    for at in 0..THREE.len() {
        let mut client = Client::open(Options::default(), 4096, |_| tell);
        client.say(&THREE[..at]).await;
        for _ in 0..8 {
            yield_now().await;
        }
        client.say(&THREE[at..]).await;
        for told in ["/1 first", "/2 second", "/3 "] {
            let answer = client.hear().await;
            assert_eq!(answer.body, told, "split at {at}");
            assert_eq!(answer.keep_alive, told != "/3 ");
        }
        assert_eq!(client.end().await.0, End::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn pipelined_requests_are_answered_through_a_pipe_of_any_size() {
    for room in 1..80 {
        let client = Client::open(Options::default(), room, |_| tell);
        let (mut read, mut write) = split(client.io);
        let saying = tokio::spawn(async move {
            write.write_all(THREE.as_bytes()).await.unwrap();
            write
        });
        let mut heard = String::new();
        read.read_to_string(&mut heard).await.unwrap();
        saying.await.unwrap();
        let at = ["/1 first", "/2 second", "/3 "].map(|told| heard.find(told));
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{room}: {heard}");
        assert_eq!(heard.matches("HTTP/1.1 200 OK\r\n").count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_body_keep_the_connection() {
    let mut client = Client::open(Options::default(), 4096, |_| {
        |request: http::Request<_>| async move {
            match request.uri().path() {
                "/204" => status(StatusCode::NO_CONTENT),
                "/304" => status(StatusCode::NOT_MODIFIED),
                _ => text("some"),
            }
        }
    });
    for _ in 0..2 {
        client.say("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(client.hear_to(&Method::HEAD).await.body, "");
        client.say("GET /204 HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(client.hear().await.status, StatusCode::NO_CONTENT);
        client.say("GET /304 HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(client.hear().await.status, StatusCode::NOT_MODIFIED);
        client.say("\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(client.hear().await.body, "some");
    }
    assert_eq!(client.leave().await, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn http_10_keeps_a_connection_only_if_asked() {
    let mut client = Client::open(Options::default(), 4096, |_| tell);
    client.say("GET /1 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    client.say("GET /2 HTTP/1.0\r\n\r\n").await;
    let heard = String::from_utf8(client.rest().await.to_vec()).unwrap().to_lowercase();
    let (first, second) = heard.split_once("/1 http").expect("two answers");
    assert!(first.contains("\r\nconnection: keep-alive\r\n"), "{heard}");
    assert!(second.contains("\r\nconnection: close\r\n"), "{heard}");
    assert_eq!(client.end().await.0, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn http_10_gets_a_body_of_unknown_length_until_close() {
    let mut client = Client::open(Options::default(), 4096, |_| {
        |_| async {
            let (player, answer) = played(None);
            player.data("all ").data("of it").trailer("x-sum", "1");
            answer
        }
    });
    client.say("GET /1 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    let heard = String::from_utf8(client.rest().await.to_vec()).unwrap().to_lowercase();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nconnection: close"), "{heard}");
    assert!(!head.contains("chunked") && !head.contains("length"), "{heard}");
    assert_eq!(body, "all of it");
    assert_eq!(client.end().await.0, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn trailers_go_in_and_out() {
    let mut client = Client::open(Options::default(), 4096, |_| {
        |request: http::Request<crate::server::Body>| async {
            use http_body_util::BodyExt as _;
            let body = request.into_body().collect().await.unwrap();
            assert_eq!(body.trailers().unwrap()["x-sum"], "1");
            let (player, answer) = played(None);
            player.data(body.to_bytes()).trailer("x-more", "2");
            answer
        }
    });
    for _ in 0..2 {
        let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        client.say(format!("{head}2\r\nab\r\n0\r\nx-sum: 1\r\n\r\n")).await;
        let answer = client.hear().await;
        assert_eq!((answer.body.as_str(), answer.whole), ("ab", true));
        assert_eq!(answer.trailers["x-more"], "2");
    }
    client.hush().await;
    assert_eq!(client.end().await.0, End::Closed);
}
