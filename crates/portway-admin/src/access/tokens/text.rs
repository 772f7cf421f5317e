//! The token itself: `pwt_<id>_<secret and checksum>`.
//!
//! All of it is in the digits of base 32 that nobody mistakes for others (Crockford's), so that a
//! double click selects it, and it begins like no other, so that scanners find one that was
//! published. The checksum tells a slip from a wrong token without asking the store.
//!
//! The secret has 256 random bits. That is why a plain SHA-256 of it may be kept: slow hashes are
//! for what people think up, where an attacker with the digest can go through all of it. Nobody can
//! go through 2²⁵⁶ secrets, whatever the hash costs, and a slow one would only be a way to keep the
//! gateway busy.

use std::fmt;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    rand,
};

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BEGIN: &str = "pwt_";
const ID: usize = 8;
/// 32 bytes in base 32.
const SECRET: usize = 52;
/// 30 bits.
const CHECKSUM: usize = 6;
const LENGTH: usize = BEGIN.len() + ID + 1 + SECRET + CHECKSUM;

/// As long as a digest, and that of no token.
pub(super) const NO_DIGEST: &str =
    "----------------------------------------------------------------";

/// A token, well-formed and not believed yet.
pub(in crate::access) struct Text(Box<str>);

/// Whether it claims to be a token of this API.
pub(in crate::access) fn is_ours(token: &[u8]) -> bool {
    token.starts_with(BEGIN.as_bytes())
}

impl Text {
    /// A new one. `None` where the system has no random bytes.
    pub(super) fn new() -> Option<Self> {
        let mut random = [0; 40];
        rand::fill(&mut random).ok()?;
        let (id, secret) = random.split_at(8);
        let id = &base32(id)[..ID];
        let text = format!("{BEGIN}{id}_{}", base32(secret));
        let checksum = checksum(&text);
        Some(Self(format!("{text}{checksum}").into()))
    }

    /// One that somebody brings.
    pub(super) fn read(token: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(token).ok().filter(|text| text.len() == LENGTH)?;
        let (id, secret) = text.strip_prefix(BEGIN)?.split_once('_')?;
        let is_base32 = |part: &str| part.bytes().all(|byte| DIGITS.contains(&byte));
        if id.len() != ID || !is_base32(id) || !is_base32(secret) {
            return None;
        }
        let (text, sum) = text.split_at(LENGTH - CHECKSUM);
        (checksum(text) == sum).then(|| Self(format!("{text}{sum}").into()))
    }

    /// What it is kept under. It is no secret.
    pub(super) fn id(&self) -> &str {
        &self.0[BEGIN.len()..BEGIN.len() + ID]
    }

    /// What is kept of it: its SHA-256, in hexadecimal digits.
    pub(super) fn digest(&self) -> String {
        use fmt::Write as _;
        let digest = digest(&SHA256, self.0.as_bytes());
        digest.as_ref().iter().fold(String::new(), |mut text, byte| {
            // A string takes everything.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether this is its digest. It takes as long, however much of it is right.
    pub(super) fn is_of(&self, digest: &str) -> bool {
        verify_slices_are_equal(self.digest().as_bytes(), digest.as_bytes()).is_ok()
    }

    /// All of it, to be shown once.
    pub(super) fn into_shown(self) -> String {
        self.0.into()
    }
}

/// Without what it is.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({}…)", self.id())
    }
}

fn checksum(text: &str) -> String {
    let mut sum = base32(&digest(&SHA256, text.as_bytes()).as_ref()[..4]);
    sum.truncate(CHECKSUM);
    sum
}

/// Without padding, as RFC 4648 section 6 with other digits.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(digit(bits >> count));
        }
    }
    if count > 0 {
        text.push(digit(bits << (5 - count)));
    }
    text
}

fn digit(bits: u32) -> char {
    let [low, ..] = (bits & 31).to_le_bytes();
    char::from(DIGITS[usize::from(low)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_32_is_that_of_rfc_4648_with_other_digits() {
        for (bytes, text) in [
            ("", ""),
            ("f", "cr"),
            ("fo", "csqg"),
            ("foo", "csqpy"),
            ("foob", "csqpyrg"),
            ("fooba", "csqpyrk1"),
            ("foobar", "csqpyrk1e8"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text, "{bytes}");
        }
    }

    #[test]
    fn a_token_is_read_as_it_was_made_and_in_no_other_form() {
        let token = Text::new().unwrap();
        let shown = format!("{}", token.0);
        assert_eq!(shown.len(), LENGTH);
        assert!(is_ours(shown.as_bytes()));
        let again = Text::read(shown.as_bytes()).unwrap();
        assert_eq!(again.id(), token.id());
        assert!(
            again.is_of(&token.digest())
                && !again.is_of("")
                && !again.is_of(NO_DIGEST)
                && !again.is_of(&"0".repeat(64))
        );
        for at in 0..LENGTH {
            let mut slip = shown.clone().into_bytes();
            slip[at] = if slip[at] == b'7' { b'8' } else { b'7' };
            let is_token = Text::read(&slip).is_some();
            assert!(!is_token, "a slip at {at} is not noticed");
        }
        for bad in [
            String::new(),
            "pwt_".to_owned(),
            shown[..LENGTH - 1].to_owned(),
            format!("{shown}0"),
            shown.to_uppercase(),
            shown.replacen('_', "-", 2),
            "é".repeat(LENGTH / 2),
        ] {
            assert!(Text::read(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(!format!("{token:?}").contains(&shown[BEGIN.len() + ID..]));
        assert_eq!(token.digest().len(), NO_DIGEST.len());
        assert_ne!(Text::new().unwrap().digest(), token.digest());
    }
}
