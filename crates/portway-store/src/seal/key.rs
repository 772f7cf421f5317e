//! One key, and keys as text.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest::{SHA256, digest},
    error::Unspecified,
    rand,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

const LENGTH: usize = 32;
/// What precedes the name in what a value is sealed to, so that nothing else sealed with the same
/// key, should there ever be any, opens as a value.
const PURPOSE: &[u8] = b"portway sealed value 1\0";

/// Which key: the beginning of its digest, so that no two keys are mistaken for one another and
/// nobody has to invent names. It tells nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(super) [u8; KeyId::LENGTH]);

impl KeyId {
    pub(super) const LENGTH: usize = 8;
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key. Its bytes leave memory with it.
#[derive(Clone)]
pub(super) struct SealKey {
    pub(super) id: KeyId,
    bytes: Zeroizing<[u8; LENGTH]>,
}

impl SealKey {
    pub(super) fn generate() -> Result<Self, Unspecified> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        rand::fill(&mut *bytes)?;
        Ok(Self::new(bytes))
    }

    fn new(bytes: Zeroizing<[u8; LENGTH]>) -> Self {
        let mut text = Zeroizing::new(b"portway key id\0".to_vec());
        text.extend_from_slice(&*bytes);
        let mut id = [0; KeyId::LENGTH];
        id.copy_from_slice(&digest(&SHA256, &text).as_ref()[..KeyId::LENGTH]);
        Self { id: KeyId(id), bytes }
    }

    /// 32 bytes in base64 or as hexadecimal digits.
    fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        if text.len() == LENGTH * 2 {
            for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                let digit = |at: usize| char::from(pair[at]).to_digit(16);
                *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
            }
        } else {
            let decoded = Zeroizing::new(STANDARD.decode(text).ok()?);
            bytes.copy_from_slice(decoded.get(..).filter(|decoded| decoded.len() == LENGTH)?);
        }
        Some(Self::new(bytes))
    }

    /// The key in base64.
    pub(super) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    pub(super) fn seal(
        &self,
        name: &str,
        nonce: [u8; NONCE_LEN],
        value: &mut Vec<u8>,
    ) -> Result<(), Unspecified> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.cipher()?.seal_in_place_append_tag(nonce, bound_to(name), value)
    }

    /// Opens `sealed` where it lies; what it held is what is left of it.
    pub(super) fn open(
        &self,
        name: &str,
        nonce: [u8; NONCE_LEN],
        sealed: &mut Vec<u8>,
    ) -> Result<(), Unspecified> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = self.cipher()?.open_in_place(nonce, bound_to(name), sealed)?.len();
        sealed.truncate(length);
        Ok(())
    }

    fn cipher(&self) -> Result<LessSafeKey, Unspecified> {
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &*self.bytes)?))
    }
}

fn bound_to(name: &str) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE, name.as_bytes()].concat())
}

/// The keys of a text: separated by commas or white space, the rest of a line after `#` left out.
pub(super) fn parse(text: &str) -> Result<Vec<SealKey>, InvalidKeys> {
    let mut keys: Vec<SealKey> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        for word in line.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
            let key = SealKey::parse(word).ok_or(InvalidKeys { line: index + 1 })?;
            if keys.iter().all(|known| known.id != key.id) {
                keys.push(key);
            }
        }
    }
    if keys.is_empty() { Err(InvalidKeys { line: 0 }) } else { Ok(keys) }
}

/// A text holds no keys, or something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidKeys {
    /// From 1; 0 when there is no key at all.
    line: usize,
}

impl fmt::Display for InvalidKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the text itself: it may be a key with a slip of the pen.
        match self.line {
            0 => f.write_str("there is no key"),
            line => write!(f, "line {line} is not a key of 32 bytes in base64 or hexadecimal"),
        }
    }
}

impl std::error::Error for InvalidKeys {}
