//! Follows the frames of one direction (RFC 6455 section 5.2).

/// The opcode of a Close frame (section 5.5.1).
pub(super) const CLOSE: u8 = 0x8;

/// The longest header of a frame: two bytes, a length of eight, a masking key of four.
const MAX_HEADER: usize = 14;

/// Who sends the frames. Clients mask theirs, servers never do (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Client,
    Server,
}

/// Where one direction of a tunnel stands between its frames. Extensions pass: bits and opcodes
/// that are reserved mean nothing here.
///
/// When the bytes turn out not to be frames it gives up, and never finds a boundary again.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    sender: Sender,
    header: [u8; MAX_HEADER],
    /// How much of the header has passed.
    known: usize,
    /// The bytes that are left of the payload, once the header is whole.
    payload: Option<u64>,
    close: bool,
    lost: bool,
}

impl Tracker {
    /// Begins right behind the handshake.
    pub(crate) fn new(sender: Sender) -> Self {
        let header = [0; MAX_HEADER];
        Self { sender, header, known: 0, payload: None, close: false, lost: false }
    }

    /// Follows bytes that pass.
    pub(crate) fn track(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.lost {
            let taken = self.take(bytes);
            bytes = &bytes[taken..];
        }
    }

    /// Where a frame of ours may stand: between frames that have ended and frames that have not
    /// begun, also between the fragments of a message (section 5.4). After a Close frame nothing
    /// may follow (section 5.5.1).
    pub(crate) fn at_boundary(&self) -> bool {
        !self.lost && !self.close && self.known == 0
    }

    /// How many of the bytes that come next complete the frame that is passing: 0 between frames.
    /// `None`: the frame goes on beyond them, or nothing of ours may follow it.
    pub(crate) fn boundary_in(&self, next: &[u8]) -> Option<usize> {
        let mut ahead = self.clone();
        let taken = if self.known == 0 { 0 } else { ahead.take(next) };
        ahead.at_boundary().then_some(taken)
    }

    /// Whether a Close frame has passed or begun to.
    pub(crate) fn has_closed(&self) -> bool {
        self.close
    }

    /// Whether the bytes turned out not to be frames.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Takes bytes up to the end of the frame, and says how many.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while !self.lost {
            let rest = &bytes[taken..];
            if let Some(left) = self.payload {
                let passing = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                taken += passing;
                let left = left.saturating_sub(passing as u64);
                self.payload = Some(left);
                if left == 0 {
                    (self.known, self.payload) = (0, None);
                }
                return taken;
            }
            let Some(&byte) = rest.first() else { return taken };
            taken += 1;
            self.header[self.known] = byte;
            self.known += 1;
            self.read_header();
        }
        bytes.len()
    }

    /// Reads as much of the header as there is.
    fn read_header(&mut self) {
        let [first, second, ..] = self.header;
        let (opcode, is_final) = (first & 0x0f, first & 0x80 != 0);
        if self.known == 1 {
            self.close |= opcode == CLOSE;
            return;
        }
        let (masked, short) = (second & 0x80 != 0, second & 0x7f);
        // Control frames are short and whole (section 5.5).
        let bad_control = opcode >= 0x8 && (!is_final || short > 125);
        if bad_control || masked != (self.sender == Sender::Client) {
            self.lost = true;
            return;
        }
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if self.known < 2 + extended + if masked { 4 } else { 0 } {
            return;
        }
        let length = self.header[2..2 + extended]
            .iter()
            .fold(0, |length, &byte| length << 8 | u64::from(byte));
        // The shortest form there is, and the highest bit is never set (section 5.2).
        match (extended, length) {
            (2, ..126) | (8, ..=0xffff | 0x8000_0000_0000_0000..) => self.lost = true,
            (0, _) => self.payload = Some(u64::from(short)),
            _ => self.payload = Some(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with a payload of `length` zeros.
    fn frame(sender: Sender, first: u8, length: usize) -> Vec<u8> {
        let mask = if sender == Sender::Client { 0x80 } else { 0 };
        let mut frame = vec![first];
        match u16::try_from(length) {
            Ok(short @ ..126) => frame.push(mask | u8::try_from(short).unwrap()),
            Ok(medium) => {
                frame.push(mask | 126);
                frame.extend(medium.to_be_bytes());
            }
            Err(_) => {
                frame.push(mask | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        if sender == Sender::Client {
            frame.extend([0xff; 4]);
        }
        frame.resize(frame.len() + length, 0);
        frame
    }

    #[test]
    fn boundaries_are_found_however_the_bytes_are_cut() {
        for sender in [Sender::Client, Sender::Server] {
            let mut bytes = Vec::new();
            let mut ends = vec![0];
            // Text, a fragment with a Ping before its end, compressed, a reserved opcode, and every
            // form of length.
            for (first, length) in [
                (0x81, 5),
                (0x01, 0),
                (0x89, 125),
                (0x80, 126),
                (0xc1, 65535),
                (0x83, 0),
                (0x82, 65536),
                (0x8a, 0),
            ] {
                bytes.extend(frame(sender, first, length));
                ends.push(bytes.len());
            }
            for size in [1, 2, 3, 7, 126, 1000, 65540, bytes.len()] {
                let (mut tracker, mut passed) = (Tracker::new(sender), 0);
                for piece in bytes.chunks(size) {
                    let end = *ends.iter().find(|&&end| end >= passed).unwrap();
                    let within = (end <= passed + piece.len()).then(|| end - passed);
                    assert_eq!(tracker.boundary_in(piece), within, "{passed} and {size} more");
                    tracker.track(piece);
                    passed += piece.len();
                    assert_eq!(tracker.at_boundary(), ends.contains(&passed), "{passed}");
                }
                assert!(!tracker.is_lost() && !tracker.has_closed());
            }
        }
    }

    #[test]
    fn nothing_follows_a_close_frame() {
        let mut tracker = Tracker::new(Sender::Server);
        tracker.track(&[0x81]);
        assert_eq!(tracker.boundary_in(&[0, 0x88, 0]), Some(1));
        assert_eq!(tracker.boundary_in(&[]), None);
        tracker.track(&[0, 0x88]);
        assert!(tracker.has_closed() && !tracker.at_boundary());
        assert_eq!(tracker.boundary_in(&[0]), None);
        tracker.track(&[0]);
        assert!(!tracker.at_boundary() && !tracker.is_lost());
    }

    #[test]
    fn what_is_no_frame_is_given_up() {
        for (sender, bytes) in [
            // Not masked, and masked, where the other is due.
            (Sender::Client, &[0x81, 0x05][..]),
            (Sender::Server, &[0x81, 0x85]),
            // Longer forms than needed, and the highest bit.
            (Sender::Server, &[0x82, 126, 0, 125]),
            (Sender::Server, &[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
            (Sender::Server, &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            // Control frames in fragments and with long payloads.
            (Sender::Server, &[0x09, 0]),
            (Sender::Server, &[0x89, 126, 0, 126]),
        ] {
            for size in 1..=bytes.len() {
                let mut tracker = Tracker::new(sender);
                bytes.chunks(size).for_each(|piece| tracker.track(piece));
                assert!(tracker.is_lost() && !tracker.at_boundary(), "{bytes:?}");
                tracker.track(&[0x81, 0]);
                assert_eq!(tracker.boundary_in(&[0x81, 0]), None, "{bytes:?}");
            }
        }
    }

    #[test]
    fn the_longest_frame_there_can_be_is_followed() {
        let mut tracker = Tracker::new(Sender::Server);
        tracker.track(&[0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        tracker.track(&[0; 1000]);
        assert_eq!(tracker.payload, Some(0x7fff_ffff_ffff_ffff - 1000));
        assert!(!tracker.at_boundary() && !tracker.is_lost());
    }
}
