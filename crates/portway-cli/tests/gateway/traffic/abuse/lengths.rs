//! Bodies that are not as long as their head says (fault C8).

use std::io;

use bytes::Bytes;
use portway_testkit::{
    RawUpstream, eventually,
    frames::{Frame, code, fields, request, script},
    raw::script::always,
};

use super::{Siege, WIRES};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What follows a head that says a length.
fn cases() -> Vec<(&'static str, &'static str, Vec<Frame>)> {
    vec![
        ("less", "10", vec![Frame::data(1, "hello").end()]),
        (
            "less, and trailers",
            "10",
            vec![Frame::data(1, "hello"), Frame::headers(1, fields(&[("x-sum", "1")])).end()],
        ),
        ("more", "3", vec![Frame::data(1, "hello").end()]),
        ("more, later", "5", vec![Frame::data(1, "hello"), Frame::data(1, "x").end()]),
        ("a body where there is none", "0", vec![Frame::data(1, "hello").end()]),
        ("nothing at all", "5", vec![Frame::data(1, "").end()]),
    ]
}

#[tokio::test]
async fn a_body_of_another_length_is_never_whole_upstream() -> io::Result<()> {
    for wire in WIRES {
        for (what, length, body) in cases() {
            let upstream = RawUpstream::start(always(OK)).await?;
            let siege = Siege::of(&upstream.url(), "").await?;
            let mut attacker = siege.attacker(wire).await?;
            let block = request("POST", "http://a.example/x", &[("content-length", length)]);
            attacker.send(&Frame::headers(1, block)).await?;
            for frame in &body {
                attacker.send(frame).await?;
            }
            let said = attacker.answer(1).await?;
            assert_eq!(said.reset, Some(code::PROTOCOL_ERROR), "{what} {wire:?}: {said:?}");
            assert!(said.statuses.is_empty(), "{what} {wire:?}: {said:?}");
            // The next one finds a connection on which nothing was left half said.
            let block = request("POST", "http://a.example/next", &[("content-length", "4")]);
            attacker.send(&Frame::headers(3, block)).await?;
            attacker.send(&Frame::data(3, "next").end()).await?;
            assert_eq!(attacker.answer(3).await?.statuses, [200], "{what} {wire:?}");
            // Whatever had gone to the upstream was broken off there.
            let broken = || upstream.script_errors().len() + 1 == upstream.connections();
            eventually(&format!("the upstream is left: {what}"), broken).await?;
            let first = |bytes: &Bytes| bytes.starts_with(b"POST /next HTTP/1.1\r\n");
            let received = upstream.received();
            assert_eq!(received.iter().filter(|it| first(it)).count(), 1, "{what}: {received:?}");
            assert_eq!(upstream.count_of("POST /next"), 1, "{what}: {received:?}");
            siege.end().await?;
        }
    }
    Ok(())
}

/// A head that says a length and is the end at once.
#[tokio::test]
async fn a_length_without_a_body_goes_nowhere() -> io::Result<()> {
    let upstream = RawUpstream::start(always(OK)).await?;
    let siege = Siege::of(&upstream.url(), "").await?;
    for wire in WIRES {
        for method in ["GET", "POST", "HEAD"] {
            let mut attacker = siege.attacker(wire).await?;
            let block = request(method, "http://a.example/x", &[("content-length", "5")]);
            attacker.send(&Frame::headers(1, block).end()).await?;
            let said = attacker.answer(1).await?;
            assert_eq!(said.reset, Some(code::PROTOCOL_ERROR), "{method} {wire:?}: {said:?}");
        }
    }
    assert_eq!(upstream.count_of("HTTP/1.1"), 0, "{:?}", upstream.received());
    siege.end().await
}

/// The same before an upstream of HTTP/2, whose other streams go on.
#[tokio::test]
async fn a_body_of_another_length_is_reset_upstream() -> io::Result<()> {
    let upstream = RawUpstream::start(script::refuses(0)).await?;
    let siege = Siege::of(&upstream.url().replace("http", "h2c"), "").await?;
    for (what, length, body) in cases() {
        let mut attacker = siege.attacker(super::Wire::Plain).await?;
        let block = request("POST", "http://a.example/x", &[("content-length", length)]);
        attacker.send(&Frame::headers(1, block)).await?;
        for frame in &body {
            attacker.send(frame).await?;
        }
        let said = attacker.answer(1).await?;
        assert_eq!(said.reset, Some(code::PROTOCOL_ERROR), "{what}: {said:?}");
        attacker.send(&Frame::headers(3, request("GET", "http://a.example/", &[])).end()).await?;
        assert_eq!(attacker.answer(3).await?.statuses, [200], "{what}");
    }
    // A connection that is still being made when its request is over may end unused.
    let errors = upstream.script_errors();
    assert!(errors.iter().all(|error| error.contains("before its preface")), "{errors:?}");
    siege.end().await
}
