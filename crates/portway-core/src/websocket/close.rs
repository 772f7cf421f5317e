//! The farewell: a Close frame (RFC 6455 section 5.5.1).

use bytes::{BufMut, Bytes, BytesMut};

use super::tracker::CLOSE;

/// The end that says it is going away: a server that shuts down (section 7.4.1).
pub(crate) const GOING_AWAY: u16 = 1001;

/// What a control frame holds beside the code (section 5.5).
const MAX_REASON: usize = 123;

/// A Close frame from a server to its client. A reason that is too long is cut at a character.
pub(crate) fn close_frame(code: u16, reason: &str) -> Bytes {
    frame(code, reason, None)
}

/// A Close frame from a client to its server: masked. The key keeps clients' words from looking
/// like HTTP to what is in between (section 10.3). These words are ours, so any key will do.
pub(crate) fn masked_close_frame(code: u16, reason: &str) -> Bytes {
    frame(code, reason, Some(fastrand::u32(..).to_be_bytes()))
}

fn frame(code: u16, reason: &str, mask: Option<[u8; 4]>) -> Bytes {
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
    let length = u8::try_from(2 + reason.len()).expect("MAX_REASON is less");
    let mut frame = BytesMut::with_capacity(6 + usize::from(length));
    frame.put_u8(0x80 | CLOSE);
    let payload = code.to_be_bytes().into_iter().chain(reason.bytes());
    if let Some(key) = mask {
        frame.put_u8(0x80 | length);
        frame.put_slice(&key);
        frame.extend(payload.zip(key.into_iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        frame.put_u8(length);
        frame.extend(payload);
    }
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::{Sender, Tracker};

    #[test]
    fn a_server_says_it_plainly() {
        assert_eq!(&close_frame(GOING_AWAY, "bye")[..], b"\x88\x05\x03\xe9bye");
        assert_eq!(&close_frame(1000, "")[..], b"\x88\x02\x03\xe8");
    }

    #[test]
    fn a_client_masks_it() {
        let frame = masked_close_frame(GOING_AWAY, "bye bye");
        assert_eq!(frame[..2], [0x88, 0x89]);
        let (key, payload) = frame[2..].split_at(4);
        let said: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect();
        assert_eq!(said, b"\x03\xe9bye bye");
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        for (reason, length) in [("a".repeat(200), 125), ("ä".repeat(100), 124)] {
            let frame = close_frame(GOING_AWAY, &reason);
            assert_eq!((frame[1], frame.len()), (length, 2 + usize::from(length)));
            assert!(str::from_utf8(&frame[4..]).is_ok());
        }
        for (sender, frame) in [
            (Sender::Server, close_frame(GOING_AWAY, &"a".repeat(200))),
            (Sender::Client, masked_close_frame(GOING_AWAY, "")),
        ] {
            let mut tracker = Tracker::new(sender);
            tracker.track(&frame);
            assert!(tracker.has_closed() && !tracker.is_lost());
        }
    }
}
