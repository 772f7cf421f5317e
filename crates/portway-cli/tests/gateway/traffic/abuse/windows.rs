//! Clients that make no room for what they asked for (fault C5).

use std::io;

use portway_testkit::{
    Echo, eventually,
    frames::{Frame, code, kind, request, setting},
};

use super::{Siege, WIRES};

/// As many as one connection may have in flight.
const STREAMS: u32 = 100;

#[tokio::test]
async fn answers_that_nobody_takes_are_given_up_and_held_small() -> io::Result<()> {
    let echo = Echo::start().await?;
    let siege = Siege::of(&echo.url(), "timeouts: {idle: 500ms},").await?;
    for wire in WIRES {
        let before = echo.abandoned();
        let mut attacker = siege.attacker_with(wire, &[(setting::INITIAL_WINDOW_SIZE, 0)]).await?;
        let streams: Vec<u32> = (1..).step_by(2).take(STREAMS as usize).collect();
        for &stream in &streams {
            let block = request("GET", "http://a.example/?bytes=20000000", &[]);
            attacker.send(&Frame::headers(stream, block).end()).await?;
        }
        let mut resets = 0;
        while resets < STREAMS {
            let frame = attacker.next().await?;
            let frame = frame.ok_or_else(|| io::Error::other("the connection ended"))?;
            match frame.kind {
                kind::RST_STREAM => {
                    assert_eq!(frame.error_code(), Some(code::CANCEL), "{wire:?}");
                    resets += 1;
                }
                kind::HEADERS => {}
                _ => panic!("{frame:?}"),
            }
        }
        let left = || echo.abandoned() - before == u64::from(STREAMS);
        eventually("the upstream is left by all", left).await?;
        let grown = siege.grown()?;
        assert!(grown < super::KIB, "{grown} KiB more");
        // Nothing was wrong with the connection.
        attacker.round_trip().await?;
        let block = request("HEAD", "http://a.example/", &[]);
        attacker.send(&Frame::headers(401, block).end()).await?;
        assert_eq!(attacker.answer(401).await?.statuses, [200]);
    }
    siege.end().await
}
