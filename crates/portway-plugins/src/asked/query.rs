//! Parameters of a query, as forms write them.

use std::borrow::Cow;

/// Names and values as they are written.
pub(crate) fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Escapes decoded, `+` as a space. An escape that is none stays as it is.
pub(crate) fn decode(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(bytes);
    }
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        out.push(escaped.unwrap_or(if bytes[at] == b'+' { b' ' } else { bytes[at] }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    Cow::Owned(out)
}

/// Appends a name or a value so that it stays within its parameter: whatever is not unreserved
/// (RFC 3986 section 2.3) is escaped.
pub(crate) fn push_encoded(value: &[u8], out: &mut String) {
    for &byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => push_escape(byte, out),
        }
    }
}

/// Appends `%` and two hexadecimal digits.
pub(super) fn push_escape(byte: u8, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let nasty: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        push_encoded(&nasty, &mut text);
        assert!(!text.contains(['&', '=', '#', '+', ' ', '\n', '?']), "{text}");
        assert_eq!(*decode(&text), *nasty);
        assert_eq!(*decode("a+b%20c%zz%4"), *b"a b c%zz%4");
        let found: Vec<_> = pairs(Some("a=1&&b&c=2=3")).collect();
        assert_eq!(found, [("a", "1"), ("b", ""), ("c", "2=3")]);
        assert_eq!(pairs(None).count(), 0);
    }
}
