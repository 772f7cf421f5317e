//! `Expect: 100-continue`.

use std::sync::Arc;

use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;

use super::{Client, Options, status, tell, text};
use crate::server::{Body, Continue, Control, End};

const HEAD: &str =
    "POST /1 HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_client_is_told_to_go_on_once_and_when_its_body_is_asked_for() {
    let ask = Arc::new(Notify::new());
    let asked = Arc::clone(&ask);
    let mut client = Client::open(Options::default(), 4096, |_| {
        move |request| {
            let asked = Arc::clone(&asked);
            async move {
                asked.notified().await;
                tell(request).await
            }
        }
    });
    for _ in 0..2 {
        client.say(HEAD).await;
        client.hears_nothing().await;
        ask.notify_one();
        assert_eq!(client.head(&http::Method::GET).await.unwrap().status, StatusCode::CONTINUE);
        for byte in ["b", "o", "d"] {
            client.say(byte).await;
            client.hears_nothing().await;
        }
        client.say("y").await;
        let answer = client.hear().await;
        assert_eq!((answer.body.as_str(), answer.interim.len()), ("/1 body", 0));
        assert!(answer.keep_alive);
    }
    assert_eq!(client.leave().await, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_wait_is_not_told_to_go_on() {
    let mut client = Client::open(Options::default(), 4096, |_| tell);
    client.say(format!("{HEAD}body")).await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.interim.len()), ("/1 body", 0));
    client.say("GET /2 HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\r\n").await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.interim.len()), ("/2 ", 0));
    client.say(HEAD.replace("/1.1", "/1.0")).await;
    client.hears_nothing().await;
    client.say("body").await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.interim.len()), ("/1 body", 0));
}

/// What follows is the rest of the request or another one: nobody can tell.
#[tokio::test(start_paused = true)]
async fn a_final_answer_instead_of_100_is_the_last() {
    for expect in [Continue::Here, Continue::Service] {
        let options = Options { expect, ..Options::default() };
        let mut client =
            Client::open(options, 4096, |_| |_| async { status(StatusCode::UNAUTHORIZED) });
        client.say(HEAD).await;
        let answer = client.hear().await;
        assert_eq!((answer.status, answer.interim.len()), (StatusCode::UNAUTHORIZED, 0));
        assert!(!answer.keep_alive, "{expect:?}");
        client.say("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n").await;
        client.hush().await;
        assert_eq!(client.end().await.0, End::Closed, "{expect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_to_go_on_behind_the_final_answer() {
    let mut client = Client::open(Options::default(), 4096, |_| {
        |request: Request<Body>| async move {
            tokio::spawn(async move { request.into_body().collect().await.unwrap_err() });
            text("early")
        }
    });
    client.say(HEAD).await;
    let answer = client.hear().await;
    assert_eq!((answer.body.as_str(), answer.keep_alive), ("early", false));
    client.hush().await;
    assert_eq!(client.end().await.0, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_says_so_itself_is_not_talked_over() {
    let options = Options { expect: Continue::Service, ..Options::default() };
    let ask = Arc::new(Notify::new());
    let asked = Arc::clone(&ask);
    let mut client = Client::open(options, 4096, |control: Control| {
        move |request| {
            let (asked, control) = (Arc::clone(&asked), control.clone());
            async move {
                let telling = tokio::spawn(tell(request));
                asked.notified().await;
                assert!(control.interim(StatusCode::CONTINUE, &HeaderMap::new()));
                telling.await.unwrap()
            }
        }
    });
    for _ in 0..2 {
        client.say(HEAD).await;
        client.hears_nothing().await;
        ask.notify_one();
        client.say("body").await;
        let answer = client.hear().await;
        assert_eq!((answer.body.as_str(), answer.interim.len()), ("/1 body", 1));
        assert!(answer.keep_alive);
    }
    client.hush().await;
    let rest = client.rest().await;
    assert!(!String::from_utf8_lossy(&rest).contains(CONTINUE));
}
