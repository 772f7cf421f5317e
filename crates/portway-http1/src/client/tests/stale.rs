//! Exchanges that fail: what is known of how far they came.

use bytes::Bytes;
use http::Method;

use super::{
    Options, Text, connect, get,
    parts::{Failed, played},
    request,
};
use crate::client::Reason;

#[tokio::test(start_paused = true)]
async fn nothing_was_written_to_a_connection_that_was_closed() {
    let (connection, upstream) = connect(4096);
    drop(upstream);
    let failure = connection.exchange(&mut get(), Options::default()).await.unwrap_err();
    assert!(failure.reason.is_hang_up(), "{:?}", failure.reason);
    assert_eq!((failure.written, failure.touched), (0, false));
}

#[tokio::test(start_paused = true)]
async fn a_body_of_which_nothing_came_is_not_touched() {
    let (connection, upstream) = connect(4096);
    drop(upstream);
    let (_player, body) = played(None);
    let mut request = request(Method::POST, body);
    let failure = connection.exchange(&mut request, Options::default()).await.unwrap_err();
    assert_eq!((failure.written, failure.touched), (0, false));
}

#[tokio::test(start_paused = true)]
async fn a_body_of_which_something_came_is_touched() {
    let (connection, upstream) = connect(4096);
    drop(upstream);
    let mut request = request(Method::POST, Text::from("body"));
    let failure = connection.exchange(&mut request, Options::default()).await.unwrap_err();
    assert_eq!((failure.written, failure.touched), (0, true));
}

#[tokio::test(start_paused = true)]
async fn what_an_upstream_took_is_counted() {
    let (connection, mut upstream) = connect(4096);
    let answering = async move {
        upstream.head().await.unwrap();
    };
    let mut request = get();
    let asking = connection.exchange(&mut request, Options::default());
    let (answer, ()) = tokio::join!(asking, answering);
    let failure = answer.unwrap_err();
    assert!(matches!(failure.reason, Reason::Closed), "{:?}", failure.reason);
    let head = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    assert_eq!((failure.written, failure.touched), (head.len() as u64, false));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails_or_lies_ends_the_exchange() {
    for (size, parts, lies) in [
        (Some(8), vec![Ok("half"), Err(Failed)], false),
        (None, vec![Ok("half"), Err(Failed)], false),
        (Some(8), vec![Ok("half")], true),
        (Some(3), vec![Ok("half")], true),
        (Some(4), vec![Ok("half"), Ok("more")], true),
    ] {
        let (connection, mut upstream) = connect(4096);
        let (player, body) = played(size);
        for part in parts {
            player.send(part.map(|part: &str| Bytes::from_static(part.as_bytes()))).unwrap();
        }
        drop(player);
        let mut request = request(Method::POST, body);
        let failure = connection.exchange(&mut request, Options::default()).await;
        match failure.unwrap_err().reason {
            Reason::Upload(Failed) => assert!(!lies),
            Reason::UploadLength => assert!(lies),
            reason => panic!("{reason:?}"),
        }
        if let Some(heard) = upstream.request().await {
            assert!(!heard.whole, "{:?}", String::from_utf8_lossy(&heard.body));
        }
    }
}
