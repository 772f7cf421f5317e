//! Bodies and their digests.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, SHA512, digest},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::fields::Reader;

/// Whether the digests that a field names are of the body: all that are understood, at least one.
/// `content-digest` is a structured field (RFC 9530), `digest` is not (RFC 3230).
pub(super) fn matches(name: &str, field: &str, body: &[u8]) -> bool {
    let digests = if name == "digest" { legacy(field) } else { structured(field) };
    let Some(digests) = digests else { return false };
    let mut known = digests.iter().filter_map(|(algorithm, said)| {
        let real = match algorithm.to_ascii_lowercase().as_str() {
            "sha-256" => digest(&SHA256, body),
            "sha-512" => digest(&SHA512, body),
            _ => return None,
        };
        Some(verify_slices_are_equal(real.as_ref(), said).is_ok())
    });
    known.next() == Some(true) && known.all(|matches| matches)
}

fn structured(field: &str) -> Option<Vec<(&str, Vec<u8>)>> {
    let (mut reader, mut all) = (Reader::new(field), Vec::new());
    loop {
        let key = reader.key()?;
        if !reader.take('=') {
            return None;
        }
        all.push((key, reader.bytes()?));
        reader.skip_spaces();
        if !reader.take(',') {
            return reader.is_done().then_some(all);
        }
        reader.skip_spaces();
    }
}

fn legacy(field: &str) -> Option<Vec<(&str, Vec<u8>)>> {
    let pairs = field.split(',').map(|pair| {
        let (algorithm, said) = pair.trim().split_once('=')?;
        // Digests of other kinds need not be in base64.
        Some((algorithm, STANDARD.decode(said).unwrap_or_default()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_digests_that_are_understood_have_to_match() {
        let good = STANDARD.encode(digest(&SHA256, b"a"));
        let long = STANDARD.encode(digest(&SHA512, b"a"));
        let bad = STANDARD.encode(digest(&SHA256, b"b"));
        for (name, field, expected) in [
            ("content-digest", format!("sha-256=:{good}:"), true),
            ("content-digest", format!("sha-512=:{long}:, sha-256=:{good}:"), true),
            ("content-digest", format!("md5=:AAAA:,sha-256=:{good}:"), true),
            ("content-digest", format!("sha-512=:{long}:, sha-256=:{bad}:"), false),
            ("content-digest", format!("sha-256=:{bad}:"), false),
            ("content-digest", "md5=:AAAA:".to_owned(), false),
            ("content-digest", format!("sha-256={good}"), false),
            ("content-digest", String::new(), false),
            ("digest", format!("SHA-256={good}"), true),
            ("digest", format!("md5=x, sha-256={good}"), true),
            ("digest", format!("SHA-256={bad}"), false),
            ("digest", format!("SHA-256={good},SHA-512=AAAA"), false),
            ("digest", "SHA-256".to_owned(), false),
        ] {
            assert_eq!(matches(name, &field, b"a"), expected, "{name}: {field}");
        }
    }
}
