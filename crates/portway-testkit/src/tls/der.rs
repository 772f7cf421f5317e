//! Just enough DER (X.690) and PEM (RFC 7468) to write a key in the older forms.

use std::io;

use super::{Key, KeyForm};

pub(super) const CERTIFICATE: &str = "CERTIFICATE";

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;

/// `[0]` with the object identifier of the curve P-256, 1.2.840.10045.3.1.7.
const CURVE_P256: [u8; 12] =
    [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// A key that came as PKCS#8, in the form that was asked for.
pub(super) fn key_pem(pkcs8: &[u8], key: Key, form: KeyForm) -> io::Result<String> {
    match (form, key) {
        (KeyForm::Pkcs8, _) => Ok(pem("PRIVATE KEY", pkcs8)),
        (KeyForm::Traditional, Key::Rsa2048) => Ok(pem("RSA PRIVATE KEY", inner_key(pkcs8)?)),
        (KeyForm::Traditional, Key::EcdsaP256) => {
            Ok(pem("EC PRIVATE KEY", &with_curve(inner_key(pkcs8)?)?))
        }
    }
}

/// A block of PEM.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = base64(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|&byte| char::from(byte)));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

/// The key inside a PKCS#8 document: its version, its algorithm, and then the octets of the key.
fn inner_key(pkcs8: &[u8]) -> io::Result<&[u8]> {
    let (fields, _) = element(SEQUENCE, pkcs8)?;
    let (_, fields) = element(0x02, fields)?;
    let (_, fields) = element(SEQUENCE, fields)?;
    Ok(element(OCTET_STRING, fields)?.0)
}

/// Names the curve in an EC key, which inside PKCS#8 the algorithm does (RFC 5915, section 3).
fn with_curve(key: &[u8]) -> io::Result<Vec<u8>> {
    let (fields, _) = element(SEQUENCE, key)?;
    let (_, rest) = element(0x02, fields)?;
    let (_, rest) = element(OCTET_STRING, rest)?;
    if rest.first() == Some(&CURVE_P256[0]) {
        return Ok(key.to_owned());
    }
    let before = &fields[..fields.len() - rest.len()];
    let fields = [before, &CURVE_P256, rest].concat();
    let length = u8::try_from(fields.len()).map_err(io::Error::other)?;
    // From 128 on, a first octet says how many octets the length has.
    let head: &[u8] = if length < 0x80 { &[SEQUENCE, length] } else { &[SEQUENCE, 0x81, length] };
    Ok([head, &fields].concat())
}

/// The content of the element at the front, which must have this tag, and what comes after it.
fn element(tag: u8, der: &[u8]) -> io::Result<(&[u8], &[u8])> {
    let parsed = || {
        let (&found, rest) = der.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..0x80 => (usize::from(first), rest),
            _ => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (octets.iter().fold(0, |sum, &octet| sum << 8 | usize::from(octet)), rest)
            }
        };
        (found == tag).then_some(())?;
        rest.split_at_checked(length)
    };
    parsed().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not the key it should be"))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let of = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = of(0) << 16 | of(1) << 8 | of(2);
        for digit in 0..4 {
            match digit <= group.len() {
                true => text.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize])),
                false => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_the_test_values_of_its_standard() {
        // RFC 4648, section 10.
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn lines_of_pem_are_cut_at_64() {
        let pem = pem("X", &[0; 49]);
        let lengths: Vec<usize> = pem.lines().map(str::len).collect();
        assert_eq!(lengths, [17, 64, 4, 15]);
    }

    #[test]
    fn what_is_not_a_key_is_an_error() {
        for der in [&b""[..], b"\x30", b"\x30\x05\x02", b"\x30\x83\xff\xff", b"\x04\x00"] {
            inner_key(der).unwrap_err();
        }
    }
}
