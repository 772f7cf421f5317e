//! Just enough of HPACK (RFC 7541) to write any fields, and to read a status.

/// A block of these fields, in this order and right or wrong: each a literal that nobody may
/// remember, without Huffman's code.
#[must_use]
pub fn fields(list: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in list {
        // Section 6.2.3: never indexed, with a new name.
        block.push(0x10);
        text(&mut block, name);
        text(&mut block, value);
    }
    block
}

/// The fields of a request to a URI such as `http://a.example/path`, and more of them after the
/// pseudo-fields. What has no scheme or no path in the URI has none here.
#[must_use]
pub fn request(method: &str, uri: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("", uri));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let parts = [(":scheme", scheme), (":authority", authority), (":path", path)];
    let mut list = vec![(":method", method)];
    list.extend(parts.into_iter().filter(|(_, value)| !value.is_empty()));
    list.extend_from_slice(more);
    fields(&list)
}

/// The fields of an answer with this status, and more of them after it.
#[must_use]
pub fn response(status: u16, more: &[(&str, &str)]) -> Vec<u8> {
    fields(&[&[(":status", status.to_string().as_str())], more].concat())
}

/// The status at the front of a block, where it always is. Other fields stay undecoded.
#[must_use]
pub fn status(block: &[u8]) -> Option<u16> {
    let (&first, rest) = block.split_first()?;
    match first {
        // Section 4.2: a change of the table's size may come first. Larger ones go on with
        // octets whose highest bit says that there is one more.
        0x20..=0x3e => status(rest),
        0x3f => status(&rest[rest.iter().position(|octet| octet & 0x80 == 0)? + 1..]),
        // Appendix A: the statuses that have an entry of their own.
        0x88..=0x8e => Some([200, 204, 206, 304, 400, 404, 500][usize::from(first - 0x88)]),
        // A literal whose name is that of one of these entries.
        0x48..=0x4e | 0x08..=0x0e | 0x18..=0x1e => digits(rest),
        // A literal with its name.
        0x00 | 0x10 | 0x40 => digits(rest.strip_prefix(b"\x07:status")?),
        _ => None,
    }
}

/// Writes a text with its length before it.
fn text(block: &mut Vec<u8>, text: &str) {
    // Section 5.1: an integer with a prefix of seven bits.
    match u8::try_from(text.len()) {
        Ok(length) if length < 127 => block.push(length),
        _ => {
            block.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                block.push(low_bits(rest) | 0x80);
                rest >>= 7;
            }
            block.push(low_bits(rest));
        }
    }
    block.extend_from_slice(text.as_bytes());
}

fn low_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7f).expect("seven bits fit into eight")
}

/// Three digits with their length before them, in Huffman's code or not.
fn digits(value: &[u8]) -> Option<u16> {
    let (&length, rest) = value.split_first()?;
    let octets = rest.get(..usize::from(length & 0x7f))?;
    if length & 0x80 == 0 {
        return std::str::from_utf8(octets).ok()?.parse().ok();
    }
    // Appendix B: 0 to 2 are five bits, 3 to 9 are six.
    let bits = octets.iter().take(4).fold(0_u32, |bits, &octet| bits << 8 | u32::from(octet));
    let mut left = 8 * u32::try_from(octets.len().min(4)).ok()?;
    let mut status = 0;
    for _ in 0..3 {
        let five = bits >> left.checked_sub(5)? & 0x1f;
        let digit = if five <= 2 {
            left -= 5;
            five
        } else {
            left = left.checked_sub(6)?;
            (bits >> left & 0x3f).checked_sub(0x19)?.checked_add(3).filter(|&digit| digit <= 9)?
        };
        status = status * 10 + u16::try_from(digit).ok()?;
    }
    Some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_literal_as_in_the_standard() {
        // RFC 7541, appendix C.2.3.
        assert_eq!(fields(&[("password", "secret")]), b"\x10\x08password\x06secret");
        // Section C.1.2 counts 1337 with a prefix of five bits; with seven it is 127 and 1210.
        let long = "x".repeat(1337);
        assert_eq!(fields(&[("a", &long)])[..6], [0x10, 1, b'a', 127, 0xba, 0x09]);
    }

    #[test]
    fn a_status_is_read_in_every_form() {
        for (block, expected) in [
            (&b"\x88"[..], Some(200)),
            (b"\x8d", Some(404)),
            // RFC 7541, appendix C.5.1 and C.6.1, and 307 of C.5.2.
            (b"\x48\x03302", Some(302)),
            (b"\x48\x82\x64\x02", Some(302)),
            (b"\x48\x83\x64\x0e\xff", Some(307)),
            (b"\x20\x3f\xe1\x1f\x88", Some(200)),
            (b"\x10\x07:status\x03999", Some(999)),
            (b"\x48\x83\xff", None),
            (b"\x3f\xff", None),
            (b"", None),
        ] {
            assert_eq!(status(block), expected, "{block:x?}");
        }
        for code in 100..=599 {
            assert_eq!(status(&response(code, &[("a", "b")])), Some(code));
        }
    }
}
