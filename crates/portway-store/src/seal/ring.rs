//! The keys of a gateway, and what is done with them.

use std::{collections::BTreeSet, fmt};

use aws_lc_rs::{aead::NONCE_LEN, error::Unspecified, rand};
use zeroize::Zeroizing;

use super::key::{self, InvalidKeys, KeyId, SealKey};

/// What a sealed value begins with.
const VERSION: u8 = 1;
/// Version, key and nonce.
const HEAD: usize = 1 + KeyId::LENGTH + NONCE_LEN;

/// An opened value. It leaves memory when it is dropped.
pub type Secret = Zeroizing<Vec<u8>>;

/// Keys, the active one first. They are never shown.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<SealKey>,
}

impl KeyRing {
    /// A ring of one new key.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self { keys: vec![SealKey::generate()?] })
    }

    /// The keys of a text, the first one active: one or more, separated by commas, spaces or
    /// lines, each 32 bytes in base64 or hexadecimal; `#` begins a comment.
    ///
    /// # Errors
    ///
    /// When there is none, or something else.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        Ok(Self { keys: key::parse(text)? })
    }

    /// The key that seals.
    #[must_use]
    pub fn active(&self) -> KeyId {
        self.keys[0].id
    }

    /// All keys, the active one first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.keys.iter().map(|key| key.id)
    }

    /// The keys as text, for a file that only the gateway reads.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.keys.len() * 64));
        for key in &self.keys {
            text.push_str(&key.text());
            text.push('\n');
        }
        text
    }

    /// Seals `secret` with the active key, to be stored under `name`.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let active = &self.keys[0];
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce)?;
        let mut value = Vec::with_capacity(secret.len() + 16);
        value.extend_from_slice(secret);
        active.seal(name, nonce, &mut value)?;
        Ok([&[VERSION], &active.id.0[..], &nonce, &value].concat())
    }

    /// Opens what was sealed under `name`.
    ///
    /// # Errors
    ///
    /// When its key is not in the ring, or it is damaged or of another name.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let (id, nonce, rest) = dissect(sealed)?;
        let key = self.keys.iter().find(|key| key.id == id);
        let key = key.ok_or(SealError::MissingKey(id))?;
        let mut value = Zeroizing::new(rest.to_vec());
        key.open(name, nonce, &mut value).map_err(|Unspecified| SealError::Refused)?;
        Ok(value)
    }

    /// Seals anew what another key than the active one sealed; `None` when the active one did.
    ///
    /// # Errors
    ///
    /// Those of [`KeyRing::open`].
    pub fn reseal(&self, name: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
        let (id, ..) = dissect(sealed)?;
        let secret = self.open(name, sealed)?;
        if id == self.active() { Ok(None) } else { self.seal(name, &secret).map(Some) }
    }

    /// A ring with a new active key; the others still open. Save it before it seals anything.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub fn rotated(&self) -> Result<Self, SealError> {
        let mut keys = vec![SealKey::generate()?];
        keys.extend(self.keys.iter().cloned());
        Ok(Self { keys })
    }

    /// A ring without the keys that are not active, once everything was sealed anew.
    #[must_use]
    pub fn active_alone(&self) -> Self {
        Self { keys: vec![self.keys[0].clone()] }
    }

    /// Opens every value under its name, and says which cannot be.
    ///
    /// # Errors
    ///
    /// The names, all of them, and the keys that are missing.
    pub fn check<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), Lost> {
        let mut lost = Lost { names: Vec::new(), missing: BTreeSet::new() };
        for (name, sealed) in values {
            let Err(error) = self.open(name, sealed) else { continue };
            lost.names.push(name.to_owned());
            if let SealError::MissingKey(id) = error {
                lost.missing.insert(id);
            }
        }
        if lost.names.is_empty() { Ok(()) } else { Err(lost) }
    }
}

/// The parts of a sealed value: key, nonce, the rest.
fn dissect(sealed: &[u8]) -> Result<(KeyId, [u8; NONCE_LEN], &[u8]), SealError> {
    let (head, rest) = sealed.split_at_checked(HEAD).ok_or(SealError::NotSealed)?;
    let (version, head) = head.split_first().ok_or(SealError::NotSealed)?;
    let (id, nonce) = head.split_first_chunk().ok_or(SealError::NotSealed)?;
    let nonce = nonce.try_into().map_err(|_| SealError::NotSealed)?;
    if *version == VERSION { Ok((KeyId(*id), nonce, rest)) } else { Err(SealError::NotSealed) }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

/// Why a value is not sealed or does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// It does not begin as sealed values do.
    NotSealed,
    /// No key of the ring sealed it.
    MissingKey(KeyId),
    /// It is damaged, or it was sealed for another name.
    Refused,
    /// The system gave no random bytes.
    NoRandomness,
}

impl From<Unspecified> for SealError {
    fn from(_: Unspecified) -> Self {
        Self::NoRandomness
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealed => f.write_str("this is not a sealed value"),
            Self::MissingKey(id) => write!(f, "the key {id} that sealed it is missing"),
            Self::Refused => f.write_str("it is damaged, or was sealed for another name"),
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for SealError {}

/// Values that cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Their names, in the order in which they were given.
    pub names: Vec<String>,
    /// The keys that would open them; fewer than there are names when some are damaged.
    pub missing: BTreeSet<KeyId>,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.join(", ");
        write!(f, "{} cannot be opened: {names}", self.names.len())?;
        let mut separator = "; provide the missing key";
        for id in &self.missing {
            write!(f, "{separator} {id}")?;
            separator = ",";
        }
        f.write_str(", or set them anew")
    }
}

impl std::error::Error for Lost {}
