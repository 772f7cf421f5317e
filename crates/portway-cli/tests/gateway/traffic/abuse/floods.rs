//! Floods of frames that cost their sender next to nothing (fault C4).

use std::{io, time::Duration};

use portway_testkit::{
    Echo, eventually,
    frames::{Frame, FrameConnection, code, flag, kind, request},
};
use tokio::time::timeout;

use super::{Siege, WIRES, Wire};

/// Frames of one write.
const BATCH: usize = 1000;
/// Writes of one flood.
const WRITES: usize = 500;

/// Writes of which no flood needs more to be noticed.
const ENOUGH: usize = 20;

/// A frame that means nothing, sent on the connection or on a stream whose request goes on.
type Nothing = (&'static str, fn() -> Frame);

const FLOODS: [Nothing; 7] = [
    ("settings", || Frame::settings(&[])),
    ("settings that say something", || Frame::settings(&[(4, 65_535), (5, 16_384)])),
    ("pings", || Frame::ping([7; 8])),
    ("priorities", || Frame::priority(5, 0, 1)),
    ("no data", || Frame::data(1, "")),
    ("padding", || Frame::new(kind::DATA, flag::PADDED, 1, vec![0; 1])),
    ("unknown frames", || Frame::new(0xbe, 0, 0, "x")),
];

/// Nobody reads what the gateway says to it.
#[tokio::test]
async fn a_flood_that_is_not_listened_to_ends_or_waits() -> io::Result<()> {
    for (what, nothing) in FLOODS {
        let echo = Echo::start().await?;
        let siege = Siege::of(&echo.url(), "").await?;
        for wire in WIRES {
            let mut attacker = flooding(&siege, wire).await?;
            flood(&mut attacker, &nothing()).await;
            let grown = siege.grown()?;
            assert!(grown < super::KIB, "{what} {wire:?}: {grown} KiB more");
            drop(attacker);
            eventually("the upstream is left", || echo.open_connections() == 0).await?;
        }
        siege.end().await?;
    }
    Ok(())
}

/// Room for one octet more, again and again, and no answer to take it.
#[tokio::test]
async fn room_in_small_change_is_no_work() -> io::Result<()> {
    let echo = Echo::start().await?;
    let siege = Siege::of(&echo.url(), "").await?;
    for wire in WIRES {
        for stream in [0, 1] {
            let mut attacker = flooding(&siege, wire).await?;
            flood(&mut attacker, &Frame::window_update(stream, 1)).await;
            drop(attacker);
        }
    }
    siege.end().await
}

/// Begins an upload, so that there is a stream to flood.
async fn flooding(siege: &Siege, wire: Wire) -> io::Result<FrameConnection> {
    let mut attacker = siege.attacker(wire).await?;
    let block = request("POST", "http://a.example/", &[]);
    attacker.send(&Frame::headers(1, block)).await?;
    Ok(attacker)
}

/// Sends as much of a frame as is taken.
async fn flood(attacker: &mut FrameConnection, frame: &Frame) {
    let batch = vec![frame.clone(); BATCH];
    for _ in 0..WRITES {
        // Whoever does not read is not read from, once the buffers between are full.
        match timeout(Duration::from_millis(500), attacker.send_all(&batch)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

#[tokio::test]
async fn who_floods_is_sent_away() -> io::Result<()> {
    for (what, nothing) in FLOODS {
        let echo = Echo::start().await?;
        let siege = Siege::of(&echo.url(), "").await?;
        for wire in WIRES {
            let mut attacker = flooding(&siege, wire).await?;
            let batch = vec![nothing(); BATCH];
            for _ in 0..ENOUGH {
                if attacker.send_all(&batch).await.is_err() {
                    break;
                }
            }
            let said = attacker.wait_for_end().await?;
            // On a busy machine it may still have been sending when nobody listened any more: the
            // last word is lost with the connection then.
            let fits = said.is_none_or(|said| said == code::ENHANCE_YOUR_CALM);
            assert!(fits, "{what} {wire:?}: {said:?}");
            drop(attacker);
            eventually("the upstream is left", || echo.open_connections() == 0).await?;
        }
        let labels = ["code=\"http2_flood\"", "side=\"client\""];
        let counted = siege.gateway.metric("portway_errors_total", &labels).await?;
        assert!(counted >= 1.0, "{what}: {counted}");
        siege.end().await?;
    }
    Ok(())
}
