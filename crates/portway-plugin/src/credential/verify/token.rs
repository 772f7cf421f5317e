//! The form of a token: three parts in base64url, a head that is understood whole.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{Key, strict};
use crate::credential::Algorithm;

/// The longest token. It has to fit into a field of a head, after all.
const LONGEST: usize = 8 * 1024;
/// The keys that are tried for one token. More than one is tried only for a token that does not
/// name its key.
const MOST_KEYS: usize = 16;

/// A token, of which nothing is believed yet.
#[derive(Debug)]
pub struct Token<'t> {
    /// The algorithm it names. A key decides whether it is the one.
    pub algorithm: Algorithm,
    /// What it calls its key.
    pub key: Option<Box<str>>,
    /// What it says.
    pub claims: Map<String, Value>,
    /// What is signed.
    signed: &'t [u8],
    signature: Vec<u8>,
}

/// Why a token is refused, for its bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

impl<'t> Token<'t> {
    /// Reads one, without believing it.
    ///
    /// # Errors
    /// It is none, or has something that is not understood.
    pub fn read(text: &'t [u8]) -> Result<Self, Refused> {
        if text.len() > LONGEST {
            return Err(Refused("the token is longer than 8 KiB"));
        }
        let mut parts = text.split(|byte| *byte == b'.');
        let (Some(head), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused("the token does not have three parts"));
        };
        let signed = &text[..head.len() + 1 + claims.len()];
        let head = object(head)?;
        let algorithm = head.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
        let algorithm = algorithm.ok_or(Refused("the token's algorithm is not taken"))?;
        // An extension that must be understood (RFC 7515 section 4.1.11), and there is none here.
        if head.contains_key("crit") {
            return Err(Refused("the token has an extension that is not understood"));
        }
        let key = match head.get("kid") {
            None => None,
            Some(Value::String(key)) => Some(key.as_str().into()),
            Some(_) => return Err(Refused("the token's kid is not a text")),
        };
        let signature = decoded(signature)?;
        if signature.is_empty() {
            return Err(Refused("the token is not signed"));
        }
        Ok(Self { algorithm, key, claims: object(claims)?, signed, signature })
    }

    /// The issuer it claims to be from.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Whether a key of this name and algorithm may have signed it.
    #[must_use]
    pub fn may_be_by(&self, key: &Key) -> bool {
        let called = match (&key.id, &self.key) {
            (Some(id), Some(called)) => id == called,
            _ => true,
        };
        called && key.algorithm == self.algorithm
    }

    /// Whether one of the keys has signed it. `None` when none of them can have.
    #[must_use]
    pub fn is_by_one(&self, keys: &[Key]) -> Option<bool> {
        let may = keys.iter().filter(|key| self.may_be_by(key));
        let mut candidates = may.take(MOST_KEYS).peekable();
        candidates.peek()?;
        Some(candidates.any(|key| self.is_by(key)))
    }

    /// Whether the key has signed it.
    #[must_use]
    pub fn is_by(&self, key: &Key) -> bool {
        self.may_be_by(key) && key.has_signed(self.signed, &self.signature)
    }
}

fn object(part: &[u8]) -> Result<Map<String, Value>, Refused> {
    strict::object(&decoded(part)?).ok_or(Refused("the token is not of JSON objects"))
}

/// Without padding, white space or stray bits: a token has one form.
fn decoded(part: &[u8]) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused("the token is not in base64url"))
}
