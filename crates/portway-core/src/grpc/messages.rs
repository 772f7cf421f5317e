//! Where messages begin and end while their bytes pass. Nothing is held back but the five bytes in
//! front of each, and of these only what they say.

/// The bit of a message's first byte by which gRPC-Web tells trailers from messages.
pub(super) const TRAILERS: u8 = 0x80;

/// The bytes in front of a message: a flag and its length.
pub(super) const PREFIX: usize = 5;

/// A frame of trailers stands where only messages may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotMessage;

/// The messages of one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages {
    /// How many bytes of a prefix have passed.
    prefix: usize,
    /// The bytes that are left of the message, or what is known of that number.
    left: u32,
}

impl Messages {
    /// Follows the bytes that pass.
    pub(super) fn track(&mut self, mut bytes: &[u8]) -> Result<(), NotMessage> {
        while !bytes.is_empty() {
            if self.prefix == PREFIX {
                let passing = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= u32::try_from(passing).unwrap_or(self.left);
                bytes = &bytes[passing..];
            } else if let Some((&byte, rest)) = bytes.split_first() {
                match self.prefix {
                    0 if byte & TRAILERS != 0 => return Err(NotMessage),
                    0 => self.left = 0,
                    _ => self.left = self.left << 8 | u32::from(byte),
                }
                self.prefix += 1;
                bytes = rest;
            }
            if self.prefix == PREFIX && self.left == 0 {
                self.prefix = 0;
            }
        }
        Ok(())
    }

    /// Whether every message that began has ended.
    pub(super) fn at_boundary(&self) -> bool {
        self.prefix == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_found_however_the_bytes_are_cut() {
        let mut bytes = vec![0, 0, 0, 0, 0];
        bytes.extend([1, 0, 0, 0, 3, 0x80, 0x80, 0x80]);
        bytes.extend([0, 0, 0, 1, 4]);
        bytes.extend([0xff; 260]);
        let boundaries = [0, 5, 13, 278];
        for size in 1..=bytes.len() {
            let (mut messages, mut passed) = (Messages::default(), 0);
            for piece in bytes.chunks(size) {
                messages.track(piece).unwrap();
                passed += piece.len();
                assert_eq!(messages.at_boundary(), boundaries.contains(&passed), "{passed}");
            }
        }
    }

    #[test]
    fn a_frame_of_trailers_is_no_message() {
        let mut messages = Messages::default();
        messages.track(&[0, 0, 0, 0, 1, 7]).unwrap();
        assert_eq!(messages.track(&[TRAILERS]), Err(NotMessage));
    }
}
