//! Blocks of fields without an end, and blocks that unpack to far more than was sent (faults C3
//! and C9).

use std::io;

use bytes::Bytes;
use portway_testkit::{
    Echo,
    frames::{Frame, code, fields, request, setting},
};

use super::{Siege, WIRES, Wire};

/// So many frames of a block may be read before its sender is sent away.
const FRAMES: usize = 20;

#[tokio::test]
async fn a_block_that_never_ends_is_not_waited_for() -> io::Result<()> {
    let echo = Echo::start().await?;
    let siege = Siege::of(&echo.url(), "").await?;
    for wire in WIRES {
        // One octet each: a field that never ends, its name and its value in one.
        for piece in [Bytes::from_static(b"a"), Bytes::new()] {
            let mut attacker = siege.attacker(wire).await?;
            let mut block = request("GET", "http://a.example/", &[]);
            // A literal whose name has 100 octets, none of which is there.
            block.extend_from_slice(&[0x10, 100]);
            attacker.send(&Frame::headers(1, block).unfinished().end()).await?;
            for _ in 0..FRAMES {
                // It may be gone before the last.
                if attacker.send(&Frame::continuation(1, piece.clone())).await.is_err() {
                    break;
                }
            }
            assert_eq!(attacker.wait_for_end().await?, Some(code::ENHANCE_YOUR_CALM), "{wire:?}");
        }
        // Full frames, each with fields that are whole.
        let mut attacker = siege.attacker(wire).await?;
        let filler = fields(&[("x-filler", "f".repeat(100).as_str())]).repeat(140);
        attacker.send(&Frame::headers(1, filler.clone()).unfinished().end()).await?;
        for _ in 0..FRAMES {
            if attacker.send(&Frame::continuation(1, filler.clone())).await.is_err() {
                break;
            }
        }
        let said = attacker.wait_for_end().await?;
        assert!(said.is_some_and(|said| said != code::NO_ERROR), "{wire:?}: {said:?}");
    }
    assert_eq!(echo.requests(), 0);
    siege.end().await
}

#[tokio::test]
async fn nothing_else_comes_between_the_frames_of_a_block() -> io::Result<()> {
    let echo = Echo::start().await?;
    let siege = Siege::of(&echo.url(), "").await?;
    let block = request("GET", "http://a.example/", &[]);
    for (what, between) in [
        ("a ping", Frame::ping([0; 8])),
        ("another stream", Frame::headers(3, block.clone()).end()),
        ("more of another stream", Frame::continuation(3, "x")),
        ("data", Frame::data(1, "x")),
    ] {
        let mut attacker = siege.attacker(Wire::Plain).await?;
        attacker.send(&Frame::headers(1, block.clone()).unfinished().end()).await?;
        attacker.send(&between).await?;
        assert_eq!(attacker.wait_for_end().await?, Some(code::PROTOCOL_ERROR), "{what}");
    }
    // More of a block where there is none.
    let mut attacker = siege.attacker(Wire::Plain).await?;
    attacker.send(&Frame::continuation(1, block)).await?;
    assert_eq!(attacker.wait_for_end().await?, Some(code::PROTOCOL_ERROR));
    assert_eq!(echo.requests(), 0);
    siege.end().await
}

/// How long the value of [`bomb`] is: as much as the table takes.
const ENTRY: usize = 3900;

/// An entry that the gateway is to remember, and then one octet for each time it is meant.
fn bomb(times: usize) -> Vec<u8> {
    let mut block = request("GET", "http://a.example/", &[]);
    // RFC 7541 section 6.2.1: remembered, with a new name; then its value, whose length is
    // 127 + 61 + 128 * 29.
    block.extend_from_slice(b"\x40\x06x-bomb\x7f\xbd\x1d");
    block.resize(block.len() + ENTRY, b'x');
    // Section 6.1: the newest entry behind the 61 of the static table.
    block.resize(block.len() + times, 0x80 | 62);
    block
}

#[tokio::test]
async fn a_block_that_unpacks_to_megabytes_is_refused_unpacked() -> io::Result<()> {
    let echo = Echo::start().await?;
    let siege = Siege::of(&echo.url(), "").await?;
    for wire in WIRES {
        // 4 KB that mean 12 MB, a hundred times over.
        for _ in 0..100 {
            let mut attacker = siege.attacker(wire).await?;
            attacker.send(&Frame::headers(1, bomb(3000)).end()).await?;
            assert_eq!(attacker.wait_for_end().await?, Some(code::ENHANCE_YOUR_CALM), "{wire:?}");
        }
        // A little too much is answered, and the connection goes on.
        let mut attacker = siege.attacker(wire).await?;
        attacker.send(&Frame::headers(1, bomb(10)).end()).await?;
        assert_eq!(attacker.answer(1).await?.statuses, [431], "{wire:?}");
        let more = request("GET", "http://a.example/honest", &[]);
        attacker.send(&Frame::headers(3, more).end()).await?;
        assert_eq!(attacker.answer(3).await?.statuses, [200], "{wire:?}");
        // Fields of which none has more than a name: one octet means a dozen.
        let mut attacker = siege.attacker(wire).await?;
        let mut block = request("GET", "http://a.example/", &[]);
        block.resize(16_000, 0x80 | 15);
        attacker.send(&Frame::headers(1, block).end()).await?;
        let said = attacker.wait_for_end().await?;
        assert_eq!(said, Some(code::ENHANCE_YOUR_CALM), "{wire:?}");
    }
    assert_eq!(echo.requests(), 0);
    siege.end().await
}

/// RFC 7541 sections 4.2 and 6.
#[tokio::test]
async fn blocks_that_cannot_be_unpacked_end_the_connection() -> io::Result<()> {
    let echo = Echo::start().await?;
    let siege = Siege::of(&echo.url(), "").await?;
    let ordinary = request("GET", "http://a.example/", &[]);
    let mut late = ordinary.clone();
    late.push(0x20);
    for (what, block) in [
        ("an entry that nobody knows", [&ordinary[..], &[0xff, 0x00]].concat()),
        ("the entry 0", [&ordinary[..], &[0x80]].concat()),
        (
            "a number that overflows",
            [&ordinary[..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat(),
        ),
        ("a table larger than was allowed", [&[0x3f, 0xff, 0xff, 0x03][..], &ordinary].concat()),
        ("a change of the table in the middle", late),
        ("Huffman's end in a text", [&ordinary[..], &[0x10, 0x84, 255, 255, 255, 255, 0]].concat()),
        ("half a field", [&ordinary[..], &[0x10, 5, b'a']].concat()),
    ] {
        let mut attacker = siege.attacker(Wire::Plain).await?;
        attacker.send(&Frame::headers(1, block).end()).await?;
        let said = attacker.wait_for_end().await?;
        let fits = [Some(code::COMPRESSION_ERROR), Some(code::PROTOCOL_ERROR)].contains(&said);
        assert!(fits, "{what}: {said:?}");
    }
    assert_eq!(echo.requests(), 0);
    siege.end().await
}

/// The table is made small and large again, over and over.
#[tokio::test]
async fn a_table_that_changes_its_size_all_the_time_costs_nothing() -> io::Result<()> {
    let echo = Echo::start().await?;
    let siege = Siege::of(&echo.url(), "").await?;
    for wire in WIRES {
        let mut attacker = siege.attacker_with(wire, &[(setting::HEADER_TABLE_SIZE, 0)]).await?;
        for (stream, number) in (1u32..).step_by(2).zip(0..200_u32) {
            let size = [(setting::HEADER_TABLE_SIZE, if number % 2 == 0 { u32::MAX } else { 0 })];
            attacker.send(&Frame::settings(&size)).await?;
            // To nothing, to all of its 4096 octets, and then the request.
            let block = [&[0x20, 0x3f, 0xe1, 0x1f][..], &request("GET", "http://a.example/", &[])];
            attacker.send(&Frame::headers(stream, block.concat()).end()).await?;
            assert_eq!(attacker.answer(stream).await?.statuses, [200], "{wire:?} {number}");
        }
    }
    siege.end().await
}
