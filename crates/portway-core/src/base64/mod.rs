//! base64 with padding (RFC 4648 section 4), which gRPC-Web and the handshake of WebSocket use:
//! whole texts, and texts that come in pieces. Nothing but the alphabet is accepted, and no bits
//! that would be lost.

use bytes::{BufMut, Bytes, BytesMut};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// In [`VALUES`]: no letter of the alphabet.
const NONE: u8 = 0xff;

/// What each byte stands for.
const VALUES: [u8; 256] = values();

/// The text is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotBase64;

/// Decodes a text that comes in pieces and may be made of several texts, each with its padding. It
/// holds at most three letters back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decoder {
    held: [u8; 4],
    count: usize,
}

/// Writes bytes as a text with padding.
pub(crate) fn encode(bytes: &[u8]) -> Bytes {
    let mut text = BytesMut::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| group.get(at).copied().unwrap_or(0));
        let values = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        let mut letters = values.map(|value| ALPHABET[usize::from(value)]);
        letters[group.len() + 1..].fill(b'=');
        text.put_slice(&letters);
    }
    text.freeze()
}

impl Decoder {
    /// Decodes what is whole and holds the rest back.
    pub(crate) fn decode(&mut self, mut text: &[u8]) -> Result<Bytes, NotBase64> {
        let mut bytes = BytesMut::with_capacity((self.count + text.len()) / 4 * 3);
        while self.count > 0 && self.count < 4 {
            let Some((&letter, rest)) = text.split_first() else { return Ok(bytes.freeze()) };
            self.held[self.count] = letter;
            self.count += 1;
            text = rest;
        }
        if self.count == 4 {
            group(self.held, &mut bytes)?;
            self.count = 0;
        }
        let (groups, rest) = text.as_chunks::<4>();
        for &letters in groups {
            group(letters, &mut bytes)?;
        }
        self.held[..rest.len()].copy_from_slice(rest);
        self.count = rest.len();
        Ok(bytes.freeze())
    }

    /// Whether nothing is held back.
    pub(crate) fn is_whole(&self) -> bool {
        self.count == 0
    }
}

fn group(letters: [u8; 4], bytes: &mut BytesMut) -> Result<(), NotBase64> {
    let padding = match letters {
        [_, _, b'=', b'='] => 2,
        [_, _, _, b'='] => 1,
        _ => 0,
    };
    let mut sum = 0_u32;
    for (at, letter) in letters.into_iter().enumerate() {
        let value = if at < 4 - padding { VALUES[usize::from(letter)] } else { 0 };
        if value == NONE {
            return Err(NotBase64);
        }
        sum = sum << 6 | u32::from(value);
    }
    let [_, decoded @ ..] = sum.to_be_bytes();
    let (kept, lost) = decoded.split_at(3 - padding);
    if lost.iter().any(|&byte| byte != 0) {
        return Err(NotBase64);
    }
    bytes.put_slice(kept);
    Ok(())
}

const fn values() -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0_u8;
    while value < 64 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8]) -> Option<Bytes> {
        let mut decoder = Decoder::default();
        let bytes = decoder.decode(text).ok()?;
        decoder.is_whole().then_some(bytes)
    }

    /// RFC 4648 section 10.
    #[test]
    fn vectors() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes);
        }
    }

    #[test]
    fn every_byte_comes_back_however_the_text_is_cut() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        for length in 0..all.len() {
            assert_eq!(decode(&encode(&all[..length])).unwrap(), &all[..length]);
        }
        // Two texts, the first with padding.
        let text = [encode(&all[..100]), encode(&all[100..])].concat();
        for size in 1..20 {
            let mut decoder = Decoder::default();
            let pieces = text.chunks(size).map(|piece| decoder.decode(piece).unwrap());
            assert_eq!(pieces.collect::<Vec<_>>().concat(), all);
            assert!(decoder.is_whole());
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in [
            "Z",
            "Zg",
            "Zg=",
            "Z===",
            "====",
            "=Zg=",
            "Zg=x",
            "Zh==",
            "Zm9=",
            "Zm-v",
            "Zm_v",
            "Zm9v\r\n",
            " Zm9v",
            "Zm\09",
            "Zm9\u{ff}",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
