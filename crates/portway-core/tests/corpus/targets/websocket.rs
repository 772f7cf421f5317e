//! Frames of WebSocket: the tracker agrees, at every byte, with a reading of the whole.

use portway_core::fuzzing::{Frames, farewell};

use super::pieces;

/// Bit 0: a client's frames. Bit 1: the bytes are the reason of a Close frame instead.
pub(crate) fn check(input: &[u8]) {
    let &[mode, seed, ref bytes @ ..] = input else { return };
    let client = mode & 1 != 0;
    if mode & 2 != 0 {
        return closed(client, bytes);
    }
    let read = Reading::new(bytes, client);
    let mut frames = Frames::new(client);
    let mut passed = 0;
    for piece in pieces(seed, bytes) {
        // Where the frame that is passing ends, and whether something may follow there.
        let next = (passed..=passed + piece.len()).find(|at| read.boundaries.contains(at));
        assert_eq!(frames.boundary_in(piece), next.map(|at| at - passed), "behind {passed}");
        frames.track(piece);
        passed += piece.len();
        assert_eq!(frames.at_boundary(), read.boundaries.contains(&passed), "behind {passed}");
    }
    assert_eq!(frames.state(), (read.close, read.lost));
}

/// What the bytes are, read as a whole.
struct Reading {
    /// Where a frame could be put in.
    boundaries: Vec<usize>,
    close: bool,
    lost: bool,
}

impl Reading {
    fn new(bytes: &[u8], client: bool) -> Self {
        let mut read = Self { boundaries: Vec::new(), close: false, lost: false };
        let mut at = 0;
        loop {
            if !read.close {
                read.boundaries.push(at);
            }
            let Some(&first) = bytes.get(at) else { return read };
            read.close |= first & 0x0f == 8;
            let Some(&second) = bytes.get(at + 1) else { return read };
            let is_long_control = first & 8 != 0 && (first & 0x80 == 0 || second & 0x7f > 125);
            if (second & 0x80 != 0) != client || is_long_control {
                read.lost = true;
                return read;
            }
            let mask = if client { 4 } else { 0 };
            let (header, least, most) = match second & 0x7f {
                126 => (4, 126, 0xffff),
                127 => (10, 0x1_0000, i64::MAX as u64),
                _ => (2, 0, 125),
            };
            let Some(header) = bytes.get(at..at + header + mask) else { return read };
            let length = match header.len() - mask {
                2 => u64::from(second & 0x7f),
                end => header[2..end].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
            };
            if length < least || length > most {
                read.lost = true;
                return read;
            }
            at += header.len();
            let left = (bytes.len() - at) as u64;
            match usize::try_from(length) {
                Ok(length) if length as u64 <= left => at += length,
                _ => return read,
            }
        }
    }
}

fn closed(client: bool, reason: &[u8]) {
    let reason = String::from_utf8_lossy(reason);
    let frame = farewell(client, 1001, &reason);
    let mut frames = Frames::new(client);
    assert_eq!(frames.boundary_in(&frame), Some(0));
    frames.track(&frame);
    assert_eq!(frames.state(), (true, false));
    assert_eq!((frame[0], frame[1] & 0x80 != 0), (0x88, client));
    let (key, payload) = if client { frame[2..].split_at(4) } else { (&[0; 4][..], &frame[2..]) };
    assert_eq!(payload.len(), usize::from(frame[1] & 0x7f), "nothing is behind the frame");
    let said: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect();
    let (code, text) = said.split_at(2);
    assert_eq!(code, 1001_u16.to_be_bytes());
    let text = str::from_utf8(text).expect("cut between characters");
    assert!(reason.starts_with(text) && (text.len() == reason.len() || text.len() > 119));
}
