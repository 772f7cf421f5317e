//! Connections that speak another protocol.

use http::{Request, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{Notify, mpsc::unbounded_channel},
};

use super::{Client, Options, status, text};
use crate::server::{Body, Control, End};

const HEAD: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn bytes_behind_the_request_are_read_first() {
    for room in [1, 10, 4096] {
        let (upgrading, mut upgrades) = unbounded_channel();
        let go = std::sync::Arc::new(Notify::new());
        let told = std::sync::Arc::clone(&go);
        let mut client = Client::open(Options::default(), room, |control: Control| {
            move |_: Request<Body>| {
                upgrading.send(control.upgrading()).unwrap();
                let told = std::sync::Arc::clone(&told);
                async move {
                    told.notified().await;
                    status(StatusCode::SWITCHING_PROTOCOLS)
                }
            }
        });
        client.say(HEAD).await;
        // It may not be taken before the switch.
        let ahead = if room == 4096 { "ahead" } else { "" };
        client.say(ahead).await;
        let mut upgrading = tokio::spawn(upgrades.recv().await.unwrap());
        client.hears_nothing().await;
        assert!(!upgrading.is_finished(), "nothing before the 101");
        go.notify_one();
        let head = client.head(&http::Method::GET).await.unwrap();
        assert_eq!(head.status, StatusCode::SWITCHING_PROTOCOLS);
        assert!(!head.headers.contains_key("content-length"));
        let mut upgraded = (&mut upgrading).await.unwrap().expect("it was handed over");
        assert_eq!(client.end_of_serving().await, End::Upgraded);
        let echoing = tokio::spawn(async move {
            let (mut space, mut all) = ([0; 3], Vec::new());
            loop {
                let read = upgraded.read(&mut space).await.unwrap();
                if read == 0 {
                    break;
                }
                all.extend_from_slice(&space[..read]);
                upgraded.write_all(&space[..read]).await.unwrap();
            }
            upgraded.shutdown().await.unwrap();
            all
        });
        let mut heard = vec![0; ahead.len()];
        client.io.read_exact(&mut heard).await.unwrap();
        for byte in b" behind" {
            client.say([*byte]).await;
            heard.push(client.io.read_u8().await.unwrap());
        }
        client.hush().await;
        assert_eq!(client.io.read(&mut [0]).await.unwrap(), 0);
        let expected = format!("{ahead} behind");
        assert_eq!(heard, expected.as_bytes());
        assert_eq!(echoing.await.unwrap(), expected.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_not_handed_over_says_so() {
    for switches in [false, true] {
        let (upgrading, mut upgrades) = unbounded_channel();
        // To a request that does not ask for it, 101 is no answer.
        let head = if switches { "GET / HTTP/1.1\r\nhost: a\r\n\r\n" } else { HEAD };
        let mut client = Client::open(Options::default(), 4096, |control: Control| {
            move |_: Request<Body>| {
                upgrading.send(control.upgrading()).unwrap();
                async move {
                    if switches { status(StatusCode::SWITCHING_PROTOCOLS) } else { text("no") }
                }
            }
        });
        client.say(head).await;
        let upgrading = tokio::spawn(upgrades.recv().await.unwrap());
        if switches {
            assert_eq!(client.end().await.0, End::Broken);
        } else {
            assert_eq!(client.hear().await.body, "no");
            assert!(!upgrading.is_finished());
            client.hush().await;
            assert_eq!(client.end().await.0, End::Closed);
        }
        assert!(upgrading.await.unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgraded_connection_that_is_dropped_is_closed() {
    let (upgrading, mut upgrades) = unbounded_channel();
    let mut client = Client::open(Options::default(), 4096, |control: Control| {
        move |_: Request<Body>| {
            upgrading.send(control.upgrading()).unwrap();
            async { status(StatusCode::SWITCHING_PROTOCOLS) }
        }
    });
    client.say(HEAD).await;
    let upgraded = upgrades.recv().await.unwrap().await.expect("it was handed over");
    drop(upgraded);
    client.head(&http::Method::GET).await.unwrap();
    assert_eq!(client.end().await.0, End::Upgraded);
}
