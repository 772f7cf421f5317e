//! Text from anywhere, made safe for one line of a log.
//!
//! The escapes are those of a JSON string, and more is escaped than JSON demands: no control
//! character reaches a terminal, none of the characters that some programs take for a line's end,
//! and none that turns the direction of writing around what follows.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends text as the inside of a JSON string. Bytes that are not UTF-8 become U+FFFD.
#[inline]
pub(super) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let plain = plain_length::<false>(text);
    out.extend_from_slice(&text[..plain]);
    if plain < text.len() {
        push_special(out, &text[plain..]);
    }
}

/// How many bytes at the beginning stand for themselves: printable ASCII other than the quote and
/// the backslash, and in a `BARE` word of logfmt also other than the space and the equals sign.
/// Eight bytes at a time, the last of them filled up with what is plain.
#[inline]
pub(super) fn plain_length<const BARE: bool>(text: &[u8]) -> usize {
    let (chunks, rest) = text.as_chunks::<8>();
    for (at, chunk) in chunks.iter().enumerate() {
        let special = special_bytes::<BARE>(*chunk);
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let mut last = [b'a'; 8];
    last[..rest.len()].copy_from_slice(rest);
    let special = special_bytes::<BARE>(last);
    let plain = if special == 0 { rest.len() } else { special.trailing_zeros() as usize / 8 };
    text.len() - rest.len() + plain
}

/// Marks the first special byte by the lowest high bit that is set. A borrow or a carry in one of
/// the terms can only mark bytes after it.
#[inline]
fn special_bytes<const BARE: bool>(bytes: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(bytes);
    let below = |bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let is = |byte: u8| {
        let word = word ^ (ONES * u64::from(byte));
        word.wrapping_sub(ONES) & !word
    };
    let high = word | word.wrapping_add(ONES);
    let mut special = high | is(b'"') | is(b'\\') | below(if BARE { b'!' } else { b' ' });
    if BARE {
        special |= is(b'=');
    }
    special & HIGHS
}

#[cold]
fn push_special(out: &mut Vec<u8>, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_char(out, character);
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn push_char(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ if is_harmful(character) => push_code(out, character),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Control characters, line and paragraph separator, and the marks that change the direction of
/// writing. All are below U+10000: one escape each.
pub(super) fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `\u` and four hexadecimal digits.
pub(super) fn push_code(out: &mut Vec<u8>, character: char) {
    let [_, _, high, low] = u32::from(character).to_be_bytes();
    out.extend_from_slice(b"\\u");
    for byte in [high, low] {
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 0xf)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same byte by byte.
    fn is_plain<const BARE: bool>(byte: u8) -> bool {
        matches!(byte, b' '..=b'~')
            && !matches!(byte, b'"' | b'\\')
            && !(BARE && matches!(byte, b' ' | b'='))
    }

    fn escaped(text: &[u8]) -> String {
        let mut out = Vec::new();
        push_escaped(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for byte in 0..=255 {
            for length in 0..20 {
                for at in 0..length {
                    let mut text = vec![b'~'; length];
                    text[at] = byte;
                    let expected = if is_plain::<false>(byte) { length } else { at };
                    let found = plain_length::<false>(&text);
                    assert_eq!(found, expected, "{byte} at {at} of {length}");
                    let expected = if is_plain::<true>(byte) { length } else { at };
                    let found = plain_length::<true>(&text);
                    assert_eq!(found, expected, "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn what_follows_a_special_byte_does_not_hide_it() {
        for first in 0..=255 {
            for second in 0..=255 {
                let text = [b'a', first, second, b'a', b'a', b'a', b'a', b'a'];
                let expected = text.iter().position(|byte| !is_plain::<false>(*byte));
                let found = plain_length::<false>(&text);
                assert_eq!(found, expected.unwrap_or(8), "{first} {second}");
                let expected = text.iter().position(|byte| !is_plain::<true>(*byte));
                let found = plain_length::<true>(&text);
                assert_eq!(found, expected.unwrap_or(8), "{first} {second}");
            }
        }
    }

    #[test]
    fn harmful_characters_are_escaped() {
        for (text, expected) in [
            ("plain text, \u{e4}\u{20ac}\u{1f600}", "plain text, \u{e4}\u{20ac}\u{1f600}"),
            ("a\"b\\c", r#"a\"b\\c"#),
            ("\r\n\t\0\u{1b}[2J", r"\r\n\t\u0000\u001b[2J"),
            ("\u{7f}\u{85}\u{9b}", r"\u007f\u0085\u009b"),
            ("\u{2028}\u{2029}\u{202e}\u{2066}", r"\u2028\u2029\u202e\u2066"),
        ] {
            assert_eq!(escaped(text.as_bytes()), expected);
            let json = format!("\"{}\"", escaped(text.as_bytes()));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced() {
        assert_eq!(escaped(b"a\xffb\xc3"), "a\u{fffd}b\u{fffd}");
        assert_eq!(escaped(b"\xc0\xaf\xe2\x82\xac"), "\u{fffd}\u{fffd}\u{20ac}");
    }
}
