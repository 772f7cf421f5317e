//! The form of a token: three parts in base64url, a head that is understood whole.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{Algorithm, key::Key, strict};

/// The longest token. It has to fit into a field of a head, after all.
const LONGEST: usize = 8 * 1024;

/// A token, of which nothing is believed yet.
pub(super) struct Token<'t> {
    pub(super) algorithm: Algorithm,
    /// What it calls its key.
    pub(super) key: Option<Box<str>>,
    pub(super) claims: Map<String, Value>,
    /// What is signed.
    signed: &'t [u8],
    signature: Vec<u8>,
}

/// Why a token is refused, for its bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) &'static str);

impl<'t> Token<'t> {
    pub(super) fn read(text: &'t [u8]) -> Result<Self, Refused> {
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
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Whether a key of this name and algorithm may have signed it.
    pub(super) fn may_be_by(&self, key: &Key) -> bool {
        let called = match (&key.id, &self.key) {
            (Some(id), Some(called)) => id == called,
            _ => true,
        };
        called && key.algorithm == self.algorithm
    }

    /// Whether the key has signed it.
    pub(super) fn is_by(&self, key: &Key) -> bool {
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
