//! Clients that make the gateway itself reset their streams, and so take back requests without a
//! reset of their own (fault C2, CVE-2025-8671).

use std::io;

use bytes::Bytes;
use portway_testkit::{
    Echo, eventually,
    frames::{Frame, FrameConnection, code, kind, request},
};

use super::{Siege, WIRES, Wire};

/// More than any client may provoke.
const MANY: u64 = 400;
/// The first requests are with the upstream before they are broken.
const BEGUN: u64 = 10;

/// A frame that is wrong on a stream whose request has ended, and the code it is answered with.
type Wrong = (&'static str, fn(u32) -> Frame, u32);

const WRONG: [Wrong; 3] = [
    ("too much room", |stream| Frame::window_update(stream, 0x7fff_ffff), code::FLOW_CONTROL_ERROR),
    (
        "a head after the end",
        |stream| Frame::headers(stream, request("GET", "http://a.example/", &[])),
        code::PROTOCOL_ERROR,
    ),
    ("a dependency on itself", |stream| Frame::priority(stream, stream, 1), code::PROTOCOL_ERROR),
];

#[tokio::test]
async fn resets_that_are_provoked_count_like_the_clients_own() -> io::Result<()> {
    for (what, wrong, expected) in WRONG {
        let echo = Echo::start().await?;
        let siege = Siege::of(&echo.url(), "").await?;
        for wire in WIRES {
            let what = format!("{what}, {wire:?}");
            let (before, left) = (echo.requests(), echo.abandoned());
            let mut attacker = siege.attacker(wire).await?;
            let mut codes = Vec::new();
            for (stream, number) in (1u32..).step_by(2).zip(0..MANY) {
                let block = request("GET", "http://a.example/?wait=60s", &[]);
                if attacker.send(&Frame::headers(stream, block).end()).await.is_err() {
                    break;
                }
                if number < BEGUN {
                    let begun = || echo.requests() > before + number;
                    eventually(&format!("the upstream has begun: {what}"), begun).await?;
                }
                if attacker.send(&wrong(stream)).await.is_err() {
                    break;
                }
                if number < BEGUN {
                    codes.push(reset_of(&mut attacker, stream).await?);
                }
            }
            assert!(codes.iter().all(|code| *code == Some(expected)), "{what}: {codes:?}");
            let end = attacker.wait_for_end().await?;
            assert_eq!(end, Some(code::ENHANCE_YOUR_CALM), "{what}");
            let asked = echo.requests() - before;
            assert!(asked < MANY / 2, "{what}: {asked} requests");
            let left_all = || echo.abandoned() - left == echo.requests() - before;
            eventually(&format!("the upstream is left by all: {what}"), left_all).await?;
        }
        siege.end().await?;
    }
    Ok(())
}

/// The code with which a stream is reset; `None` if its connection ends instead.
async fn reset_of(attacker: &mut FrameConnection, stream: u32) -> io::Result<Option<u32>> {
    while let Some(frame) = attacker.next().await? {
        match frame.kind {
            kind::RST_STREAM if frame.stream == stream => return Ok(frame.error_code()),
            kind::GOAWAY => return Err(io::Error::other(format!("{frame:?} on {stream}"))),
            _ => {}
        }
    }
    Ok(None)
}

/// A frame that breaks the connection ends all that was begun on it.
#[tokio::test]
async fn the_upstream_is_left_when_a_connection_breaks() -> io::Result<()> {
    let echo = Echo::start().await?;
    let siege = Siege::of(&echo.url(), "").await?;
    let mut left = 0;
    for (what, frame, expected) in [
        ("room for nothing", Frame::window_update(1, 0), code::PROTOCOL_ERROR),
        ("data after the end", Frame::data(1, "x"), code::PROTOCOL_ERROR),
        ("a stream of its own", Frame::headers(2, Bytes::new()), code::PROTOCOL_ERROR),
        ("a push", Frame::new(kind::PUSH_PROMISE, 4, 1, vec![0, 0, 0, 2]), code::PROTOCOL_ERROR),
        ("a short ping", Frame::new(kind::PING, 0, 0, "short"), code::PROTOCOL_ERROR),
        ("data of nothing", Frame::data(0, "x"), code::PROTOCOL_ERROR),
        ("an end of what never was", Frame::rst_stream(99, 0), code::PROTOCOL_ERROR),
        ("too much room", Frame::window_update(0, 0x7fff_ffff), code::FLOW_CONTROL_ERROR),
        ("a large frame", Frame::data(1, vec![0; 20_000]), code::FRAME_SIZE_ERROR),
        ("no room at all", Frame::window_update(0, 0), code::PROTOCOL_ERROR),
        ("settings that are none", Frame::settings(&[(2, 7)]), code::PROTOCOL_ERROR),
        ("too large a window", Frame::settings(&[(4, 0x8000_0000)]), code::PROTOCOL_ERROR),
    ] {
        let mut attacker = siege.attacker(Wire::Plain).await?;
        for stream in [1, 3, 5] {
            let block = request("GET", "http://a.example/?wait=60s", &[]);
            attacker.send(&Frame::headers(stream, block).end()).await?;
        }
        left += 3;
        eventually("the upstream has begun", || echo.requests() == left).await?;
        attacker.send(&frame).await?;
        assert_eq!(attacker.wait_for_end().await?, Some(expected), "{what}");
        eventually(&format!("the upstream is left: {what}"), || echo.abandoned() == left).await?;
    }
    siege.end().await
}
