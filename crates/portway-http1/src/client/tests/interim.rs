//! Interim answers, and `Expect`.

use std::{sync::Mutex, time::Duration};

use http::{HeaderMap, Method, StatusCode, header};
use tokio::{io::AsyncReadExt as _, time::Instant};

use super::{Options, Shelf, connect, get, parts::played, read, request};
use crate::client::Reason;

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test(start_paused = true)]
async fn interim_answers_are_passed_on_in_order() {
    let answer = format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n{HINTS}{OK}");
    for at in 0..answer.len() {
        let (connection, mut upstream) = connect(4096);
        let answering = async {
            upstream.head().await.unwrap();
            upstream.say(&answer[..at]).await;
            tokio::task::yield_now().await;
            upstream.say(&answer[at..]).await;
        };
        let seen = Mutex::new(Vec::new());
        let pass_on = |status: StatusCode, headers: &HeaderMap| {
            seen.lock().unwrap().push((status.as_u16(), headers.get(header::LINK).is_some()));
        };
        let options = Options { interim: Some(&pass_on), ..Options::default() };
        let mut request = get();
        let (answer, ()) = tokio::join!(connection.exchange(&mut request, options), answering);
        let shelf = Shelf::default();
        let (head, body, _) = answer.unwrap().into_parts(shelf.clone());
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(*seen.lock().unwrap(), [(100, false), (102, false), (103, true)]);
        let read = read(body, &shelf).await;
        assert_eq!(read.data, b"ok");
        assert!(read.connection.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_interim_answers_is_cut_off() {
    for (count, passes) in [(200, true), (201, false)] {
        let (connection, mut upstream) = connect(1 << 20);
        let answering = async {
            upstream.head().await.unwrap();
            upstream.say(HINTS.repeat(count) + OK).await;
        };
        let mut request = get();
        let asking = connection.exchange(&mut request, Options::default());
        let (answer, ()) = tokio::join!(asking, answering);
        match answer {
            Ok(_) => assert!(passes),
            Err(failure) => assert!(!passes && matches!(failure.reason, Reason::Unasked)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn protocols_are_switched_only_if_asked() {
    const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nfirst";
    for asks in [false, true] {
        let (connection, mut upstream) = connect(4096);
        let answering = async {
            upstream.head().await.unwrap();
            upstream.say(SWITCH).await;
            upstream.say(" and more").await;
            drop(upstream);
        };
        let mut request = get();
        if asks {
            request.headers_mut().insert(header::CONNECTION, "upgrade".parse().unwrap());
            request.headers_mut().insert(header::UPGRADE, "x".parse().unwrap());
        }
        let asking = connection.exchange(&mut request, Options::default());
        let (answer, ()) = tokio::join!(asking, answering);
        if !asks {
            assert!(matches!(answer.unwrap_err().reason, Reason::Unasked));
            continue;
        }
        let answer = answer.unwrap();
        assert_eq!(answer.head.status, StatusCode::SWITCHING_PROTOCOLS);
        let (mut io, first) = answer.into_upgraded().unwrap();
        let mut heard = first.to_vec();
        io.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"first and more");
    }
}

fn expecting<B>(body: B) -> http::Request<B> {
    let mut request = request(Method::POST, body);
    request.headers_mut().insert(header::EXPECT, "100-continue".parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn a_body_waits_for_100_or_the_end_of_patience() {
    let patience = Duration::from_secs(3);
    for (says, waits) in [(true, Duration::ZERO), (false, patience)] {
        let (connection, mut upstream) = connect(4096);
        let answering = async {
            let head = upstream.head().await.unwrap();
            let begun = Instant::now();
            if says {
                upstream.say("HTTP/1.1 100 Continue\r\n\r\n").await;
            }
            assert_eq!(upstream.body(&head).await, (b"body".to_vec(), true));
            assert_eq!(begun.elapsed(), waits);
            upstream.say(OK).await;
        };
        let mut request = expecting(super::Text::from("body"));
        let options = Options { expect: Some(patience), ..Options::default() };
        let (answer, ()) = tokio::join!(connection.exchange(&mut request, options), answering);
        assert!(!answer.unwrap().is_early());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_nobody_asked_for_is_not_touched() {
    let (connection, mut upstream) = connect(4096);
    let answering = async {
        upstream.head().await.unwrap();
        upstream.say("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 2\r\n\r\nno").await;
        // The connection ends without a byte of the body.
        assert_eq!(upstream.io.read(&mut [0]).await.unwrap(), 0);
    };
    let (_player, body) = played(Some(4));
    let mut request = expecting(body);
    let asking = async {
        let options = Options { expect: Some(Duration::from_secs(3)), ..Options::default() };
        let answer = connection.exchange(&mut request, options).await.unwrap();
        assert!(answer.is_early());
        let shelf = Shelf::default();
        let (_, body, upload) = answer.into_parts(shelf.clone());
        assert!(upload.is_none(), "nothing is to be sent any more");
        let read = read(body, &shelf).await;
        assert_eq!(read.data, b"no");
        assert!(read.connection.is_none());
    };
    tokio::join!(asking, answering);
}
