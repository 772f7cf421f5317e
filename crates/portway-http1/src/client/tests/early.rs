//! Answers that come while the request is still on its way.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, split},
    time::sleep,
};

use super::{
    Options, Shelf, connect,
    parts::{Failed, Many, played},
    read, request,
};

const MANY: usize = 20_000_000;

#[tokio::test(start_paused = true)]
async fn twenty_megabytes_go_both_ways_at_once() {
    // The upstream takes nothing before it has said all, or says nothing before it has taken all.
    for says_first in [true, false] {
        let (connection, upstream) = connect(64 * 1024);
        let (mut from, mut to) = split(upstream.io);
        let saying = async move {
            to.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
            let chunk = [b"2710\r\n", &[b'd'; 10_000][..], b"\r\n"].concat();
            for _ in 0..MANY / 10_000 {
                to.write_all(&chunk).await.unwrap();
            }
            to.write_all(b"0\r\n\r\n").await.unwrap();
            to
        };
        let taking = async move {
            let (mut space, mut taken) = (vec![0; 100_000], 0);
            while !space[..taken].ends_with(b"\r\n0\r\n\r\n") {
                // Slowly.
                sleep(Duration::from_millis(1)).await;
                taken = from.read(&mut space).await.unwrap();
                assert!(taken > 0, "the upload is whole");
            }
            from
        };
        let upstream = tokio::spawn(async move {
            if says_first {
                let to = saying.await;
                let from = taking.await;
                drop((from, to));
            } else {
                // The head of the answer is early, its body is not.
                tokio::join!(taking, saying);
            }
        });
        let mut request = request(Method::POST, Many { left: MANY });
        let answer = connection.exchange(&mut request, Options::default()).await.unwrap();
        assert!(answer.is_early());
        let shelf = Shelf::default();
        let (_, body, upload) = answer.into_parts(shelf.clone());
        let upload = tokio::spawn(upload.expect("it still runs"));
        let read = read(body, &shelf).await;
        assert!(read.error.is_none(), "{:?}", read.error);
        assert_eq!(read.data.len(), MANY);
        assert!(read.connection.is_none(), "two had it");
        upload.await.unwrap();
        upstream.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_fails_is_seen_as_its_truncation() {
    for sized in [Some(8), None] {
        let (connection, mut upstream) = connect(4096);
        let (player, body) = played(sized);
        let mut request = request(Method::POST, body);
        let answering = tokio::spawn(async move {
            let head = upstream.head().await.unwrap();
            upstream.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n").await;
            let body = upstream.body(&head).await;
            upstream.say("ok").await;
            body
        });
        player.send(Ok(Bytes::from_static(b"half"))).unwrap();
        let answer = connection.exchange(&mut request, Options::default()).await.unwrap();
        let shelf = Shelf::default();
        let (_, body, upload) = answer.into_parts(shelf.clone());
        let upload = tokio::spawn(upload.expect("it still runs"));
        player.send(Err(Failed)).unwrap();
        // What it says behind its error goes nowhere.
        let _ = player.send(Ok(Bytes::from_static(b"more")));
        drop(player);
        assert_eq!(answering.await.unwrap(), (b"half".to_vec(), false));
        upload.await.unwrap();
        let read = read(body, &shelf).await;
        assert_eq!((read.data.as_slice(), read.connection.is_some()), (&b"ok"[..], false));
    }
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_without_a_body_ends_the_upload() {
    let (connection, mut upstream) = connect(4096);
    let (_player, body) = played(None);
    let mut request = request(Method::POST, body);
    let answering = tokio::spawn(async move {
        upstream.head().await.unwrap();
        upstream.say("HTTP/1.1 204 No Content\r\n\r\n").await;
        upstream.head().await.is_none()
    });
    let answer = connection.exchange(&mut request, Options::default()).await.unwrap();
    assert!(answer.is_early());
    let shelf = Shelf::default();
    let (_, body, upload) = answer.into_parts(shelf.clone());
    assert!(upload.is_none());
    drop(body);
    assert!(shelf.is_empty());
    assert!(answering.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_answers_and_takes_no_more_is_heard() {
    let (connection, upstream) = connect(64);
    let (mut from, mut to) = split(upstream.io);
    let mut request = request(Method::POST, Many { left: 100_000 });
    let answering = async move {
        from.read_exact(&mut [0; 40]).await.unwrap();
        to.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
    };
    let asking = async {
        let answer = connection.exchange(&mut request, Options::default()).await.unwrap();
        let shelf = Shelf::default();
        let (head, body, _upload) = answer.into_parts(shelf.clone());
        assert_eq!(head.status, 413);
        let read = read(body, &shelf).await;
        assert_eq!((read.data.as_slice(), read.connection.is_some()), (&b"no"[..], false));
    };
    tokio::join!(asking, answering);
}
