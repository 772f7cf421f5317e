//! Who issues tokens: keys of their own, and the document that publishes them.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A key, by the name that tokens call it.
pub(super) struct Signer {
    name: &'static str,
    key: Key,
}

enum Key {
    Rsa(Box<rsa::KeyPair>),
    Ec(EcdsaKeyPair),
}

impl Signer {
    /// A new key for RS256.
    pub(super) fn rs256(name: &'static str) -> Self {
        let key = rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key");
        Self { name, key: Key::Rsa(Box::new(key)) }
    }

    /// A new key for ES256.
    pub(super) fn es256(name: &'static str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { name, key: Key::Ec(key) }
    }

    /// A token for somebody, good for an hour. No two are alike that have different numbers.
    pub(super) fn token(&self, subject: &str, number: usize) -> String {
        let expiry = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_secs();
        let head = json!({"alg": self.algorithm(), "kid": self.name}).to_string();
        let claims = json!({"sub": subject, "jti": number, "exp": expiry + 3600}).to_string();
        let message = format!("{}.{}", base64(head), base64(claims));
        let signature = base64(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Rsa(_) => "RS256",
            Key::Ec(_) => "ES256",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(key) => {
                let mut signed = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signed).expect("a signature");
                signed
            }
            Key::Ec(key) => key.sign(&random, message).expect("a signature").as_ref().to_vec(),
        }
    }

    /// The public key as RFC 7517 writes it.
    fn published(&self) -> Value {
        let key = match &self.key {
            Key::Rsa(key) => {
                // A sequence of two numbers: the lengths are those of a key of 2048 bits.
                let der = key.public_key().as_ref();
                json!({"kty": "RSA", "n": base64(&der[9..265]), "e": base64(&der[267..])})
            }
            Key::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": base64(x), "y": base64(y)})
            }
        };
        let mut key = key;
        key["kid"] = json!(self.name);
        key["alg"] = json!(self.algorithm());
        key
    }
}

/// The document with the public keys of these.
pub(super) fn document(signers: &[&Signer]) -> String {
    let keys: Vec<_> = signers.iter().map(|signer| signer.published()).collect();
    json!({ "keys": keys }).to_string()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
