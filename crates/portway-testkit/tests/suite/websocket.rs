//! The cases of WebSocket against the echo upstream.

use portway_testkit::client::{Closed, websocket_cases};
use portway_testkit::{Client, Echo, WebSocket};

#[tokio::test]
async fn the_echo_upstream_is_strict() {
    let echo = Echo::start().await.unwrap();
    let mut wrong = Vec::new();
    for case in websocket_cases() {
        let verdict = case.verdict(echo.addr(), "a.example", "/").await.unwrap();
        if verdict.code != Some(case.closes_with) || verdict.end != Closed::Fin {
            wrong.push(format!("{}: {verdict:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_verdict_is_the_same_every_time() {
    let echo = Echo::start().await.unwrap();
    let fragments = websocket_cases().into_iter().find(|case| case.name.contains("ping between"));
    let case = fragments.unwrap();
    let verdict = case.verdict(echo.addr(), "a.example", "/").await.unwrap();
    assert_eq!(verdict, case.verdict(echo.addr(), "b.example", "/x").await.unwrap());
    let heads: Vec<&str> = verdict.frames.iter().map(|frame| &frame[..6]).collect();
    assert_eq!(heads, ["0x8a 3", "0x81 2", "0x88 2"]);
}

#[tokio::test]
async fn a_websocket_is_a_stream_beside_others() {
    let echo = Echo::start().await.unwrap();
    let client = Client::h2c(echo.addr());
    let mut first = WebSocket::open_on_stream(&client, "/a").await.unwrap();
    let mut second = WebSocket::open_on_stream(&client, "/b").await.unwrap();
    assert_eq!(first.exchange("hello").await.unwrap(), "hello");
    let long = "x".repeat(300_000);
    assert_eq!(second.exchange(&long).await.unwrap(), long);
    assert_eq!(client.get("/c").await.unwrap().status, 200);
    first.close().await.unwrap();
    assert_eq!(second.exchange("still").await.unwrap(), "still");
    assert_eq!(echo.connections(), 1);
}
