//! Keys, and tokens signed with them.

use std::{
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

/// A shared secret, long enough for all.
pub(super) const SECRET: &str =
    "a secret of at least 64 bytes, as HS512 asks for: 0123456789abcdef";

pub(super) static RSA: LazyLock<rsa::KeyPair> =
    LazyLock::new(|| rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key"));
static P256: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")
});
static P384: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key")
});
static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::generate().expect("a key"));

/// All algorithms.
pub(super) const ALL: [&str; 12] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
    "ES384", "EdDSA",
];

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_secs()
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The signature of `message` by the key for this algorithm.
pub(super) fn sign(algorithm: &str, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let rsa = |encoding: &'static dyn signature::RsaEncoding| {
        let mut signed = vec![0; RSA.public_modulus_len()];
        RSA.sign(encoding, &random, message, &mut signed).expect("it can be signed");
        signed
    };
    match algorithm {
        "HS256" => hmac(hmac::HMAC_SHA256, SECRET.as_bytes(), message),
        "HS384" => hmac(hmac::HMAC_SHA384, SECRET.as_bytes(), message),
        "HS512" => hmac(hmac::HMAC_SHA512, SECRET.as_bytes(), message),
        "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_SHA512),
        "ES256" => P256.sign(&random, message).expect("it can be signed").as_ref().to_vec(),
        "ES384" => P384.sign(&random, message).expect("it can be signed").as_ref().to_vec(),
        "EdDSA" => ED25519.sign(message).as_ref().to_vec(),
        other => panic!("{other} is no algorithm"),
    }
}

pub(super) fn hmac(algorithm: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), message).as_ref().to_vec()
}

/// A token of these parts, signed for the algorithm.
pub(super) fn signed(algorithm: &str, head: &str, claims: &str) -> String {
    let message = format!("{}.{}", base64(head), base64(claims));
    let signature = sign(algorithm, message.as_bytes());
    format!("{message}.{}", base64(signature))
}

/// A token with nothing unusual about it.
pub(super) fn token(algorithm: &str, claims: &Value) -> String {
    signed(algorithm, &json!({"alg": algorithm, "typ": "JWT"}).to_string(), &claims.to_string())
}

/// A token that names its key.
pub(super) fn token_by(key: &str, algorithm: &str, claims: &Value) -> String {
    signed(algorithm, &json!({"alg": algorithm, "kid": key}).to_string(), &claims.to_string())
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn spki(key: &impl AsDer<PublicKeyX509Der<'static>>) -> String {
    pem("PUBLIC KEY", key.as_der().expect("it can be written").as_ref())
}

/// The public key for an algorithm.
pub(super) fn public(algorithm: &str) -> String {
    match algorithm {
        "ES256" => spki(P256.public_key()),
        "ES384" => spki(P384.public_key()),
        "EdDSA" => spki(ED25519.public_key()),
        _ => spki(RSA.public_key()),
    }
}

/// The key of a spec.
pub(super) fn key(algorithm: &str) -> Value {
    match algorithm.starts_with("HS") {
        true => json!({"algorithm": algorithm, "secret": SECRET}),
        false => json!({"algorithm": algorithm, "public_key": public(algorithm)}),
    }
}

/// The key as an identity provider publishes it, without `alg`.
pub(super) fn jwk(algorithm: &str, kid: &str) -> Value {
    let curve = |curve: &str, point: &[u8]| {
        let (x, y) = point[1..].split_at(point.len() / 2);
        json!({"kty": "EC", "crv": curve, "kid": kid, "x": base64(x), "y": base64(y)})
    };
    match algorithm {
        "ES256" => curve("P-256", P256.public_key().as_ref()),
        "ES384" => curve("P-384", P384.public_key().as_ref()),
        "EdDSA" => {
            let x = base64(ED25519.public_key().as_ref());
            json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x})
        }
        _ => {
            // A sequence of two numbers: the lengths are those of a key of 2048 bits.
            let der = RSA.public_key().as_ref();
            let (n, e) = (&der[9..265], &der[267..]);
            json!({"kty": "RSA", "kid": kid, "n": base64(n), "e": base64(e)})
        }
    }
}
